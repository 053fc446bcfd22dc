import { Worker } from 'node:worker_threads'
import { withDeadline } from '../../core/abort.js'
import type { Timer } from '../../core/clock.js'
import { isRecord } from '../../core/option-check.js'
import type { Runtime } from '../../core/runtime.js'
import { ProconsulError } from '../../errors/proconsul-error.js'
import type { PlainTarget } from '../../http/plain-target.js'
import { WORKER_SOURCE } from './worker-source.js'

/** How a beat of the worker went. */
export type WorkerResult = Readonly<Record<string, unknown>>

/** What is asked of the worker, and how to tell whoever waits for the answer. */
interface Question {
  readonly message: { readonly type: string; readonly key: string; readonly sequence: number }
  readonly settle: () => void
}

/** Hears of what a worker does. */
export interface WorkerListener {
  onResult(key: string, result: WorkerResult): void
  /** The worker has ended, by itself or by `end`. It is the last that is heard of it. */
  onExit(): void
}

/** The main thread shows this often that it is alive; the worker looks half as often. */
const PULSE_MS = 50
const LOOK_MS = 100

/** The token for the worker may take this long. Beats wait for it, and one that never comes must not hold them for ever. */
const TARGET_MS = 10_000

/** One run of the heartbeat thread, from its start to its exit. With the exit everything that was asked of it settles. */
export class BeatWorker {
  readonly #runtime: Runtime
  readonly #listener: WorkerListener
  readonly #worker: Worker
  readonly #exited = new AbortController()
  /** What it has not answered yet, by number. */
  readonly #asked = new Map<number, Question>()
  #sequence = 0
  #hasBegun = false
  #keepAlive = false
  #pulse: Timer | undefined

  /** Starts it. Throws where the system has no thread to give, or does not allow one. */
  constructor(runtime: Runtime, listener: WorkerListener) {
    const pulse = new SharedArrayBuffer(Int32Array.BYTES_PER_ELEMENT)
    this.#runtime = runtime
    this.#listener = listener
    this.#worker = new Worker(WORKER_SOURCE, {
      eval: true,
      name: 'proconsul heartbeats',
      workerData: { pulse, lookMs: LOOK_MS },
      // Loaders and flags of the application are not for this thread.
      execArgv: [],
      env: {},
    })
    this.#worker.on('message', (message: unknown) => this.#hear(message))
    this.#worker.on('error', (error) => runtime.logger.warn({ err: error }, 'the heartbeat thread failed'))
    this.#worker.once('exit', () => this.#onExit())
    this.#refOrUnref()
    this.#beatPulse(new Int32Array(pulse))
  }

  /** Tells it where the agent is, what is `known` by then, and what it was asked. Ends it when the first cannot be found out. */
  async begin(target: () => Promise<PlainTarget>, known: () => Iterable<object>): Promise<void> {
    const { clock, logger } = this.#runtime
    const onTimeout = (): ProconsulError =>
      new ProconsulError('PROCONSUL_TIMEOUT', 'no token for the heartbeats in time')
    try {
      const bounds = { clock, timeoutMs: TARGET_MS, signal: this.#exited.signal, onTimeout }
      this.#worker.postMessage({ type: 'target', target: await withDeadline(bounds, target) })
      this.#hasBegun = true
      for (const message of known()) this.post(message)
      for (const { message } of this.#asked.values()) this.post(message)
    } catch (error) {
      if (this.#exited.signal.aborted) return
      logger.warn({ err: error }, 'the heartbeat thread could not be told where the agent is')
      await this.end()
    }
  }

  /** Tells it something new. One that has not begun need not hear it: it will be told all. */
  post(message: object): void {
    if (this.#hasBegun) this.#worker.postMessage(message)
  }

  /** Has it send a beat. Resolves when that was answered or has failed, when `settle` is called, or when the worker has ended. */
  beat(key: string): Promise<void> {
    return this.#ask('beat', key)
  }

  /** Has it forget a check. Resolves when no beat of that is under way. */
  async forget(key: string): Promise<void> {
    this.settle(key)
    if (this.#hasBegun) await this.#ask('remove', key)
  }

  /** Waits no more for what was asked about a check. */
  settle(key: string): void {
    for (const [sequence, asked] of this.#asked) if (asked.message.key === key) this.#answer(sequence)
  }

  /** Whether it keeps the process running also when nothing is asked of it. */
  set keepAlive(keepAlive: boolean) {
    this.#keepAlive = keepAlive
    this.#refOrUnref()
  }

  /** Resolves when it has ended. */
  async end(): Promise<void> {
    await this.#worker.terminate()
  }

  #ask(type: string, key: string): Promise<void> {
    if (this.#exited.signal.aborted) return Promise.resolve()
    this.#sequence += 1
    const message = { type, key, sequence: this.#sequence }
    return new Promise((settle) => {
      this.#asked.set(message.sequence, { message, settle })
      this.#refOrUnref()
      this.post(message)
    })
  }

  #hear(message: unknown): void {
    if (!isRecord(message)) return
    const { key, sequences } = message
    if (typeof key === 'string') this.#listener.onResult(key, message)
    for (const sequence of Array.isArray(sequences) ? sequences : []) this.#answer(Number(sequence))
  }

  #answer(sequence: number): void {
    this.#asked.get(sequence)?.settle()
    this.#asked.delete(sequence)
    this.#refOrUnref()
  }

  #onExit(): void {
    this.#exited.abort(new ProconsulError('PROCONSUL_CLOSED', 'the heartbeat thread has ended'))
    this.#pulse?.cancel()
    this.#listener.onExit()
    for (const sequence of this.#asked.keys()) this.#answer(sequence)
  }

  #beatPulse(pulse: Int32Array): void {
    Atomics.add(pulse, 0, 1)
    this.#pulse = this.#runtime.clock.setTimer(() => this.#beatPulse(pulse), PULSE_MS, { keepAlive: false })
  }

  #refOrUnref(): void {
    if (this.#keepAlive || this.#asked.size > 0) this.#worker.ref()
    else this.#worker.unref()
  }
}
