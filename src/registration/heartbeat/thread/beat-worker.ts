import { Worker } from 'node:worker_threads'
import { withDeadline } from '../../../core/abort.js'
import type { Timer } from '../../../core/clock.js'
import { isRecord } from '../../../core/option-check.js'
import type { Runtime } from '../../../core/runtime.js'
import { ProconsulError } from '../../../errors/proconsul-error.js'
import type { BeatResult, FromThread, Question, ThreadTarget, ToThread } from './messages.js'
import { THREAD_PROGRAM } from './program.js'
import { PULSE_MS } from './pulse.js'

/** What is asked of the worker, and how to tell whoever waits for the answer. */
interface Asked {
  readonly question: Question
  readonly settle: () => void
}

/** Hears of what a worker does. */
export interface WorkerListener {
  onResult(key: string, result: BeatResult): void
  /** The worker has ended, by itself or by `end`. It is the last that is heard of it. */
  onExit(): void
}

/** The token for the worker may take this long. Beats wait for it, and one that never comes must not hold them for ever. */
const TARGET_MS = 10_000

/** One run of the heartbeat thread, from its start to its exit. With the exit everything that was asked of it settles. */
export class BeatWorker {
  readonly #runtime: Runtime
  readonly #listener: WorkerListener
  readonly #worker: Worker
  readonly #exited = new AbortController()
  /** What it has not answered yet, by number. */
  readonly #asked = new Map<number, Asked>()
  #sequence = 0
  #beginning: Promise<void> = Promise.resolve()
  #hasBegun = false
  #renewals = 0
  #keepAlive = false
  #pulse: Timer | undefined

  /** Starts it. Throws where the system has no thread to give, or does not allow one. */
  constructor(runtime: Runtime, listener: WorkerListener) {
    const pulse = new Int32Array(new SharedArrayBuffer(Int32Array.BYTES_PER_ELEMENT))
    this.#runtime = runtime
    this.#listener = listener
    this.#worker = new Worker(THREAD_PROGRAM, {
      eval: true,
      name: 'proconsul heartbeats',
      workerData: pulse,
      // Loaders and flags of the application are not for this thread.
      execArgv: [],
      env: {},
    })
    this.#worker.on('message', (message: unknown) => this.#hear(message))
    this.#worker.on('error', (error) => runtime.logger.warn({ err: error }, 'the heartbeat thread failed'))
    this.#worker.once('exit', () => this.#onExit())
    this.#refOrUnref()
    this.#beatPulse(pulse)
  }

  /** Tells it where the agent is, what is `known` by then, and what it was asked. Ends it when the first cannot be found out. */
  begin(target: () => Promise<ThreadTarget>, known: () => Iterable<ToThread>): Promise<void> {
    this.#beginning = this.#begin(target, known)
    return this.#beginning
  }

  /** Tells it where the agent is now. Of several at once the last counts. Rejects when that cannot be found out. */
  async renew(target: () => Promise<ThreadTarget>): Promise<void> {
    this.#renewals += 1
    const renewal = this.#renewals
    // What it begins with may have been read before the change.
    await this.#beginning
    if (this.#exited.signal.aborted) return
    const current = await this.#inTime(target)
    if (renewal === this.#renewals) this.post({ type: 'target', target: current })
  }

  /** Tells it something new. One that has not begun need not hear it: it will be told all. */
  post(message: ToThread): void {
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
    for (const [sequence, asked] of this.#asked) if (asked.question.key === key) this.#answer(sequence)
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

  async #begin(target: () => Promise<ThreadTarget>, known: () => Iterable<ToThread>): Promise<void> {
    try {
      this.#worker.postMessage({ type: 'target', target: await this.#inTime(target) } satisfies ToThread)
      this.#hasBegun = true
      for (const message of known()) this.post(message)
      for (const { question } of this.#asked.values()) this.post(question)
    } catch (error) {
      if (this.#exited.signal.aborted) return
      this.#runtime.logger.warn({ err: error }, 'the heartbeat thread could not be told where the agent is')
      await this.end()
    }
  }

  async #inTime(target: () => Promise<ThreadTarget>): Promise<ThreadTarget> {
    const onTimeout = (): ProconsulError =>
      new ProconsulError('PROCONSUL_TIMEOUT', 'no token for the heartbeats in time')
    const { clock } = this.#runtime
    return await withDeadline({ clock, timeoutMs: TARGET_MS, signal: this.#exited.signal, onTimeout }, target)
  }

  #ask(type: Question['type'], key: string): Promise<void> {
    if (this.#exited.signal.aborted) return Promise.resolve()
    this.#sequence += 1
    const question = { type, key, sequence: this.#sequence }
    return new Promise((settle) => {
      this.#asked.set(question.sequence, { question, settle })
      this.#refOrUnref()
      this.post(question)
    })
  }

  #hear(message: unknown): void {
    if (!isFromThread(message)) return
    if (message.key !== undefined && isOfBeat(message)) this.#listener.onResult(message.key, message)
    for (const sequence of message.sequences) this.#answer(sequence)
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

function isFromThread(message: unknown): message is FromThread {
  return isRecord(message) && Array.isArray(message['sequences'])
}

function isOfBeat(message: FromThread): message is FromThread & BeatResult {
  return message.ok !== undefined
}
