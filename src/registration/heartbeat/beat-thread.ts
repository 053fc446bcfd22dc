import { Worker } from 'node:worker_threads'
import type { Timer } from '../../core/clock.js'
import { isRecord } from '../../core/option-check.js'
import type { Runtime } from '../../core/runtime.js'
import type { PlainTarget } from '../../http/plain-target.js'
import type { Report } from '../health/service-health.js'
import { WORKER_SOURCE } from './worker-source.js'

/** One check that the thread keeps alive. */
export interface ThreadEntry {
  readonly key: string
  /** Path and id of the check's update. */
  readonly path: string
  readonly intervalMs: number
  readonly timeoutMs: number
  readonly warnAfterMs: number
  readonly criticalAfterMs: number
  readonly report: Report
}

/** How a beat of the thread went. */
export type ThreadResult = Readonly<Record<string, unknown>>

type Listener = (result: ThreadResult) => void

/** The main thread shows this often that it is alive; the worker looks half as often. */
const PULSE_MS = 50
const LOOK_MS = 100

/** A thread that ended by itself is started again after this. */
const RESPAWN_MS = 1_000

/** One thread for the heartbeats of all services of a client. It runs while it has something to keep alive. */
export class BeatThread {
  readonly #runtime: Runtime
  readonly #target: () => Promise<PlainTarget>
  readonly #entries = new Map<
    string,
    { entry: ThreadEntry; listener: Listener; isStarted: boolean; keepAlive: boolean }
  >()
  #worker: Worker | undefined
  /** What is to be said once the thread knows where the agent is and what to keep alive. */
  #outbox: object[] | undefined
  #pulse: Int32Array | undefined
  #timer: Timer | undefined
  #respawn: Timer | undefined

  /** `target` says where the agent is, with the current token. */
  constructor(runtime: Runtime, target: () => Promise<PlainTarget>) {
    this.#runtime = runtime
    this.#target = target
  }

  add(entry: ThreadEntry, keepAlive: boolean, listener: Listener): void {
    this.#entries.set(entry.key, { entry, listener, keepAlive, isStarted: false })
    if (this.#worker === undefined) this.#spawn()
    this.post({ type: 'add', entry })
    this.#refOrUnref()
  }

  start(key: string, delayMs: number): void {
    this.#mark(key, true)
    this.post({ type: 'start', key, delayMs })
  }

  hold(key: string): void {
    this.#mark(key, false)
    this.post({ type: 'hold', key })
  }

  /** Forgets a check. With the last one the thread ends. */
  async remove(key: string): Promise<void> {
    this.#entries.delete(key)
    this.post({ type: 'remove', key })
    this.#refOrUnref()
    if (this.#entries.size === 0) await this.#end()
  }

  post(message: object): void {
    if (this.#outbox !== undefined) this.#outbox.push(message)
    else this.#worker?.postMessage(message)
  }

  /** Hands the current token over. */
  async renewTarget(): Promise<void> {
    const worker = this.#worker
    if (worker === undefined) return
    const target = await this.#target()
    worker.postMessage({ type: 'target', target })
  }

  #mark(key: string, isStarted: boolean): void {
    const held = this.#entries.get(key)
    if (held !== undefined) held.isStarted = isStarted
  }

  #spawn(): void {
    const pulse = new SharedArrayBuffer(Int32Array.BYTES_PER_ELEMENT)
    const worker = new Worker(WORKER_SOURCE, {
      eval: true,
      name: 'proconsul heartbeats',
      workerData: { pulse, lookMs: LOOK_MS },
      // Loaders and flags of the application are not for this thread.
      execArgv: [],
      env: {},
    })
    this.#worker = worker
    this.#outbox = []
    this.#pulse = new Int32Array(pulse)
    worker.on('message', (message: unknown) => this.#hear(message))
    worker.on('error', (error) => this.#runtime.logger.warn({ error }, 'the heartbeat thread failed'))
    worker.on('exit', () => {
      if (this.#worker === worker) this.#onExit()
    })
    this.#refOrUnref()
    this.#beatPulse()
    void this.#fill(worker)
  }

  async #fill(worker: Worker): Promise<void> {
    try {
      worker.postMessage({ type: 'target', target: await this.#target() })
      for (const message of this.#outbox ?? []) worker.postMessage(message)
      this.#outbox = undefined
    } catch (error) {
      this.#runtime.logger.warn({ error }, 'the heartbeat thread could not be told where the agent is')
      await worker.terminate()
    }
  }

  #onExit(): void {
    this.#worker = undefined
    this.#timer?.cancel()
    for (const { listener } of this.#entries.values()) listener({ ended: true })
    if (this.#entries.size > 0) this.#respawn = this.#runtime.clock.setTimer(() => this.#revive(), RESPAWN_MS)
  }

  #revive(): void {
    this.#spawn()
    for (const { entry, isStarted } of this.#entries.values()) {
      this.post({ type: 'add', entry })
      if (isStarted) this.post({ type: 'start', key: entry.key, delayMs: 0 })
    }
  }

  #beatPulse(): void {
    const beat = (): void => {
      if (this.#pulse !== undefined) Atomics.add(this.#pulse, 0, 1)
      this.#timer = this.#runtime.clock.setTimer(beat, PULSE_MS, { keepAlive: false })
    }
    beat()
  }

  #hear(message: unknown): void {
    if (!isRecord(message) || typeof message['key'] !== 'string') return
    this.#entries.get(message['key'])?.listener(message)
  }

  #refOrUnref(): void {
    if ([...this.#entries.values()].some(({ keepAlive }) => keepAlive)) this.#worker?.ref()
    else this.#worker?.unref()
  }

  async #end(): Promise<void> {
    const worker = this.#worker
    this.#worker = undefined
    this.#timer?.cancel()
    this.#respawn?.cancel()
    await worker?.terminate()
  }
}
