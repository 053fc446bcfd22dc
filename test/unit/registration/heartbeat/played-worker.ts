import { EventEmitter } from 'node:events'

/** What the client says to the thread. */
export interface Posted {
  readonly type: string
  readonly key?: string
  readonly sequence?: number
  readonly entry?: { readonly key: string }
  readonly [field: string]: unknown
}

/** What the threads of one test did and what they are to do. */
export interface PlayedThreads {
  /** Every thread that was started, in order. */
  readonly started: PlayedWorker[]
  /** The system has no thread to give. */
  refuses: boolean
  /** Every thread ends as soon as it is started. */
  endsAtOnce: boolean
  /** Threads do not answer by themselves. */
  isSilent: boolean
}

const FRESH = { refuses: false, endsAtOnce: false, isSilent: false }

/** For the module that stands in for `node:worker_threads`. */
export const threads: PlayedThreads = { ...FRESH, started: [] }

/** Begins a test: no thread was started, and the next ones answer. */
export function resetThreads(): void {
  Object.assign(threads, FRESH)
  threads.started.length = 0
}

/** A thread without a thread: it remembers what it is told, and answers as the program of the heartbeats does. */
export class PlayedWorker extends EventEmitter {
  readonly posted: Posted[] = []
  isAlive = true
  isReferenced = true

  constructor() {
    super()
    if (threads.refuses) throw Object.assign(new Error('EAGAIN'), { code: 'ERR_WORKER_INIT_FAILED' })
    threads.started.push(this)
    if (threads.endsAtOnce) setImmediate(() => this.die())
  }

  /** What it was told of one kind. */
  told(type: string): readonly Posted[] {
    return this.posted.filter((message) => message.type === type)
  }

  ref(): void {
    this.isReferenced = true
  }

  unref(): void {
    this.isReferenced = false
  }

  postMessage(message: Posted): void {
    if (!this.isAlive) return
    this.posted.push(message)
    if (!threads.isSilent) queueMicrotask(() => this.answer(message))
  }

  answer({ type, key, sequence }: Posted): void {
    if (type === 'beat')
      this.emit('message', { key, sequences: [sequence], ok: true, status: 'passing', durationMs: 1 })
    if (type === 'remove') this.emit('message', { sequences: [sequence] })
  }

  /** Ends by itself. */
  die(): void {
    if (!this.isAlive) return
    this.isAlive = false
    this.emit('exit', 1)
  }

  async terminate(): Promise<number> {
    await Promise.resolve()
    this.die()
    return 1
  }
}
