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
  /** The number of the last answer of each node. */
  readonly #nodes = new Map<string, number>()
  readonly #ask = singleFlight(() => this.#askAll())
  #answers = 0
  #contradictedAt: number | undefined

  constructor(parts: Pick<ConsulParts, 'runtime' | 'agent'>) {
    this.#parts = parts
  }

  /** Counts the answers. */
  get moment(): number {
    return this.#answers
  }

  /** Why what was said since a moment is not known to one agent alone, where it is so. */
  splitSince(moment: number): ProconsulError | undefined {
    const nodes = [...this.#nodes].filter(([, answer]) => answer > moment).map(([node]) => node)
    if (nodes.length < 2 && (this.#contradictedAt ?? 0) <= moment) return undefined
    const which = nodes.length < 2 ? '' : ` (nodes ${nodes.join(', ')})`
    const message = `several agents answer at this address${which}, and a service is registered with one: give the client the address of one agent, best the one on its own host`
    return new ProconsulError('PROCONSUL_CONFLICT', message)
  }

  /** Asks who answers, where more than one has. Never rejects. */
  async askIfSeveral(): Promise<void> {
    if (this.#nodes.size > 1 || this.#contradictedAt !== undefined) await this.#ask()
  }

  /** A heartbeat has found a record unknown. Asks who answers, where the token may. Never rejects. */
  async askAfterLoss(): Promise<void> {
    await this.#ask()
  }

  /** An answer came from the agent of this node. */
  saw(node: string): void {
    if (node === '') return
    const isNew = !this.#nodes.has(node)
    const [before] = [...this.#nodes].sort(([, one], [, other]) => other - one)
    this.#nodes.set(node, ++this.#answers)
    if (isNew && before !== undefined) this.#tell({ node, before: before[0] }, 'another agent answers than before')
  }

  /** So many times in a row a heartbeat has found a record unknown that is there. */
  contradicted(times: number): void {
    if (times < CONTRADICTIONS) return
    const isNew = this.#contradictedAt === undefined
    this.#contradictedAt = ++this.#answers
    if (isNew && this.#nodes.size < 2) this.#tell({}, 'the heartbeats reach another agent than the registration')
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

  #tell(fields: Readonly<Record<string, string>>, what: string): void {
    const message = `${what}; a service is registered with one, and what others have of it is not known to that`
    tell(this.#parts.runtime.logger, 'agent-changed', fields, message)
  }
}
