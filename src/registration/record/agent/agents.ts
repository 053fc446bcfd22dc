import { tell } from '../../../core/channels.js'
import { singleFlight } from '../../../core/single-flight.js'
import { ProconsulError, isProconsulError } from '../../../errors/proconsul-error.js'
import type { ConsulParts } from './consul-parts.js'

/** Asked at once, so that they go over connections of their own: what stands before several agents may choose one for each connection. */
const QUESTIONS = 2

/** Nobody is kept waiting for long by a question that is asked in passing. */
const QUESTION_MS = 1_000

/** So often in a row a record that a heartbeat found unknown must be there all the same until that means two agents. */
const CONTRADICTIONS = 2

/**
 * Which agents have answered at the client's address, by their nodes. A service is registered with one agent: behind an address that
 * leads to several, each knows a part of what was said.
 */
export class Agents {
  readonly #parts: Pick<ConsulParts, 'runtime' | 'agent'>
  readonly #nodes = new Set<string>()
  readonly #ask = singleFlight(() => this.#askAll())
  #split: ProconsulError | undefined

  constructor(parts: Pick<ConsulParts, 'runtime' | 'agent'>) {
    this.#parts = parts
  }

  /** Set once a second agent was noticed. */
  get split(): ProconsulError | undefined {
    return this.#split
  }

  /** A heartbeat has found a record unknown. Asks who answers, where the token may. Never rejects. */
  async askAfterLoss(): Promise<void> {
    await this.#ask()
  }

  /** An answer came from the agent of this node. */
  saw(node: string): void {
    if (node !== '') this.#nodes.add(node)
    if (this.#nodes.size > 1) this.#tell([...this.#nodes].join(' and '))
  }

  /** So many times in a row one answer has contradicted another. */
  contradicted(times: number): void {
    if (times >= CONTRADICTIONS) this.#tell('the heartbeats reach another one than the registration')
  }

  async #askAll(): Promise<void> {
    const questions = Array.from({ length: QUESTIONS }, () => this.#parts.agent.self({ timeout: QUESTION_MS }))
    try {
      for (const { node } of await Promise.all(questions)) this.saw(node)
    } catch (error) {
      if (!isProconsulError(error)) throw error
      this.#parts.runtime.logger.debug({ err: error }, 'the agent could not be asked for its node')
    }
  }

  #tell(which: string): void {
    if (this.#split !== undefined) return
    const message = `another agent answers at this address than before (${which}); a service is registered with one agent, so give the client the address of one, best the one on its own host`
    this.#split = new ProconsulError('PROCONSUL_CONFLICT', message)
    tell(this.#parts.runtime.logger, 'agent-changed', { nodes: [...this.#nodes], err: this.#split }, message)
  }
}
