import { orAborted, throwIfAborted } from '../../core/abort.js'
import type { Runtime } from '../../core/runtime.js'
import type { HealthStatus } from '../definition/health-status.js'
import { isSameProbe, type ResolvedProbe } from '../definition/probe-definition.js'
import type { ResolvedDefinition } from '../definition/resolve-definition.js'
import { checkOutput } from './check-output.js'
import { EventLoopLag } from './event-loop-lag.js'
import { ProbeBoard, type ProbeListener, type RegistrationHealth } from './probe-board.js'

/** What a heartbeat says. */
export interface Report {
  readonly status: HealthStatus
  readonly output: string
}

/** The probes of one service, with the built-in one for the event loop where it is asked for. */
export class ServiceHealth {
  readonly #runtime: Runtime
  readonly #onChange: ProbeListener
  #probes: readonly ResolvedProbe[]
  #board: ProbeBoard
  readonly #lag: EventLoopLag | undefined

  constructor(definition: ResolvedDefinition, runtime: Runtime, onChange: ProbeListener) {
    this.#runtime = runtime
    this.#onChange = onChange
    this.#lag = definition.eventLoop && new EventLoopLag(runtime.clock)
    this.#probes = definition.probes
    this.#board = this.#makeBoard(definition)
  }

  get current(): RegistrationHealth {
    return this.#board.health
  }

  get status(): HealthStatus {
    return this.#board.health.status
  }

  /** Names of the probes that have no result yet. */
  get pending(): readonly string[] {
    return this.#board.pending
  }

  get report(): Report {
    return { status: this.status, output: checkOutput(this.current) }
  }

  /** Begins to probe. Settles when every probe has run once. */
  start(): Promise<unknown> {
    this.#lag?.start()
    this.#board.start()
    return this.#board.firstRound
  }

  /**
   * Puts the probes of a changed definition in place of those there are, once each has run and `commit`, which is told the status by
   * them, has resolved. Until then, and when that fails, the old ones count.
   */
  async change(
    next: ResolvedDefinition,
    signal: AbortSignal,
    commit: (status: HealthStatus) => Promise<void>,
  ): Promise<void> {
    if (sameProbes(this.#probes, next.probes)) {
      await commit(this.status)
      return
    }
    const board = this.#makeBoard(next)
    try {
      board.start()
      await orAborted(signal, board.firstRound)
      await commit(board.health.status)
      throwIfAborted(signal)
    } catch (error) {
      board.stop()
      throw error
    }
    const previous = this.#board
    previous.stop()
    this.#board = board
    this.#probes = next.probes
    if (checkOutput(previous.health) !== checkOutput(board.health)) this.#onChange(board.health, previous.health)
  }

  stop(): void {
    this.#lag?.stop()
    this.#board.stop()
  }

  #makeBoard({ probes, eventLoop }: ResolvedDefinition): ProbeBoard {
    const lagProbes = eventLoop && this.#lag ? [this.#lag.asProbe(eventLoop)] : []
    const board: ProbeBoard = new ProbeBoard([...probes, ...lagProbes], this.#runtime, (health, previous) => {
      if (this.#board === board) this.#onChange(health, previous)
    })
    return board
  }
}

function sameProbes(some: readonly ResolvedProbe[], others: readonly ResolvedProbe[]): boolean {
  return (
    some.length === others.length &&
    some.every((probe, index) => others[index] !== undefined && isSameProbe(probe, others[index]))
  )
}
