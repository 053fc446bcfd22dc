import { outOfContext } from '../../../core/async-context.js'
import type { Timer } from '../../../core/clock.js'
import type { Runtime } from '../../../core/runtime.js'
import type { Report } from '../../health/service-health.js'
import { BeatWorker } from './beat-worker.js'
import type { BeatResult, ThreadEntry, ThreadTarget, ToThread } from './messages.js'

type Listener = (result: BeatResult) => void

/** An entry as it is now: with it a thread that is started again goes on. */
interface Held {
  readonly listener: Listener
  readonly keepAlive: boolean
  entry: ThreadEntry
  /** A thread that is started is to send the first beat so long after that; undefined while held. */
  startInMs: number | undefined
}

/** A thread that ended by itself is started again after this. */
const RESPAWN_MS = 1_000

/**
 * One thread for the heartbeats of all services of a client. It runs while it has something to keep alive; when it ends by itself it is
 * started again, and told what it is to keep alive by then.
 */
export class BeatThread {
  readonly #runtime: Runtime
  readonly #target: () => Promise<ThreadTarget>
  readonly #entries = new Map<string, Held>()
  /** Undefined while there is nothing to keep alive, and from an exit to the respawn. */
  #worker: BeatWorker | undefined
  #respawn: Timer | undefined

  /** `target` says where the agent is, with the credentials of now. */
  constructor(runtime: Runtime, target: () => Promise<ThreadTarget>) {
    this.#runtime = runtime
    this.#target = target
  }

  /** Takes a check in, held. Where there is no thread, one is started at once. */
  add(entry: ThreadEntry, keepAlive: boolean, listener: Listener): void {
    this.#entries.set(entry.key, { entry, listener, keepAlive, startInMs: undefined })
    if (this.#worker === undefined) this.#spawn()
    else this.#worker.post({ type: 'add', entry })
    this.#keepAliveOrNot()
  }

  start(key: string, delayMs: number): void {
    this.#plan(key, delayMs)
    this.#worker?.post({ type: 'start', key, delayMs })
  }

  hold(key: string): void {
    this.#plan(key, undefined)
    this.#worker?.post({ type: 'hold', key })
    this.#worker?.settle(key)
  }

  /** What the next beats are to say. */
  report(key: string, report: Report): void {
    const held = this.#entries.get(key)
    if (held === undefined) return
    held.entry = { ...held.entry, report }
    this.#worker?.post({ type: 'report', key, report })
  }

  /**
   * Sends a beat now, or right after the one that is under way. Resolves when it was answered or has failed; at once while the check is
   * held, and from an exit of the thread to its respawn, which sends one.
   */
  async beat(key: string): Promise<void> {
    if (this.#entries.get(key)?.startInMs !== undefined) await this.#worker?.beat(key)
  }

  /** Forgets a check. With the last one the thread ends. Resolves when no beat of it is under way. */
  async remove(key: string): Promise<void> {
    this.#entries.delete(key)
    const worker = this.#worker
    if (this.#entries.size > 0) {
      this.#keepAliveOrNot()
      await worker?.forget(key)
    } else {
      this.#worker = undefined
      this.#respawn?.cancel()
      await worker?.end()
    }
  }

  /** Hands the credentials of now over. Rejects when they cannot be read. */
  async renewTarget(): Promise<void> {
    await this.#worker?.renew(this.#target)
  }

  #plan(key: string, startInMs: number | undefined): void {
    const held = this.#entries.get(key)
    if (held !== undefined) held.startInMs = startInMs
  }

  #spawn(): void {
    outOfContext(() => this.#spawnWorker())
  }

  #spawnWorker(): void {
    this.#respawn?.cancel()
    try {
      const worker = new BeatWorker(this.#runtime, {
        onResult: (key, result) => {
          if (this.#worker === worker) this.#entries.get(key)?.listener(result)
        },
        onExit: () => {
          if (this.#worker === worker) this.#onExit()
        },
      })
      this.#worker = worker
    } catch (error) {
      this.#runtime.logger.warn({ err: error }, 'the heartbeat thread failed')
      this.#onExit()
      return
    }
    this.#keepAliveOrNot()
    void this.#worker.begin(this.#target, () => this.#known())
  }

  /** All that there is to keep alive, in the words of the thread. */
  *#known(): Iterable<ToThread> {
    for (const [key, { entry, startInMs }] of this.#entries) {
      yield { type: 'add', entry }
      if (startInMs !== undefined) yield { type: 'start', key, delayMs: startInMs }
    }
  }

  #onExit(): void {
    this.#worker = undefined
    // Their time has run on meanwhile.
    for (const held of this.#entries.values()) if (held.startInMs !== undefined) held.startInMs = 0
    this.#respawn = this.#runtime.clock.setTimer(() => this.#spawn(), RESPAWN_MS, { keepAlive: this.#keepAlive })
  }

  get #keepAlive(): boolean {
    return [...this.#entries.values()].some(({ keepAlive }) => keepAlive)
  }

  #keepAliveOrNot(): void {
    if (this.#worker !== undefined) this.#worker.keepAlive = this.#keepAlive
  }
}
