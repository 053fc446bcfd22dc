import type { SettableStatus } from '../../api/agent-check.js'
import type { Runtime } from '../../core/runtime.js'
import type { ResolvedDefinition } from '../definition/resolve-definition.js'
import { checkOutput } from './check-output.js'
import { EventLoopLag } from './event-loop-lag.js'
import { ProbeBoard, type RegistrationHealth } from './probe-board.js'

/** What a heartbeat says. */
export interface Report {
  readonly status: SettableStatus
  readonly output: string
}

/** The probes of one service, with the built-in one for the event loop where it is asked for. */
export class ServiceHealth {
  readonly #board: ProbeBoard
  readonly #lag: EventLoopLag | undefined

  constructor(
    { probes, eventLoop }: ResolvedDefinition,
    runtime: Runtime,
    onChange: (health: RegistrationHealth, previous: RegistrationHealth) => void,
  ) {
    this.#lag = eventLoop && new EventLoopLag(runtime.clock)
    const lagProbes = eventLoop && this.#lag ? [this.#lag.asProbe(eventLoop)] : []
    this.#board = new ProbeBoard([...probes, ...lagProbes], runtime, onChange)
  }

  get current(): RegistrationHealth {
    return this.#board.health
  }

  get status(): SettableStatus {
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

  stop(): void {
    this.#lag?.stop()
    this.#board.stop()
  }
}
