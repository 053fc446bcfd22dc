import type { Timer } from '../../core/clock.js'
import { Countdown } from '../../core/countdown.js'
import type { Runtime } from '../../core/runtime.js'
import type { SnapshotFile } from '../../core/snapshot-file.js'
import { ProconsulError, isProconsulError } from '../../errors/proconsul-error.js'
import { holdOver, type ListHold, type ListObserver, type ListSnapshot, type ListSource } from './list-source.js'

/** What a cache works with. */
export interface CacheParts<Item> {
  readonly runtime: Runtime
  readonly file: SnapshotFile
  /** The items of a saved value; undefined when it is not what it should be. */
  readonly parse: (value: unknown) => readonly Item[] | undefined
}

/** A write follows a change by so long, so that a storm of changes is one write. */
const WRITE_DELAY_MS = 1_000

/** So long Consul may take to answer before the saved list is shown; a failed read shows it at once. */
const PATIENCE_MS = 1_000

/**
 * A source that keeps its last list in a file, and shows what the file holds when Consul does not answer at the start. An empty list
 * is not written: it would throw away the list that a start without Consul needs.
 */
export function cachedSource<Item>(source: ListSource<Item>, parts: CacheParts<Item>): ListSource<Item> {
  return {
    subscribe(observer) {
      const cache = new Cache(observer, parts)
      const hold = source.subscribe(cache, () => cache.shown)
      cache.open()
      return cache.over(hold)
    },
  }
}

class Cache<Item> implements ListObserver<Item> {
  readonly #observer: ListObserver<Item>
  readonly #parts: CacheParts<Item>
  readonly #patience: Countdown
  #isAnswered = false
  #hasFailed = false
  #isPaused = false
  #saved: { readonly items: readonly Item[]; readonly savedAt: number } | undefined
  #shown: readonly Item[] | undefined
  #unwritten: ListSnapshot<Item> | undefined
  #timer: Timer | undefined
  #writing: Promise<void> = Promise.resolve()

  constructor(observer: ListObserver<Item>, parts: CacheParts<Item>) {
    this.#observer = observer
    this.#parts = parts
    this.#patience = new Countdown(parts.runtime.clock, PATIENCE_MS, () => this.#show())
  }

  /** The saved list while it is shown. */
  get shown(): readonly Item[] | undefined {
    return this.#shown
  }

  over(hold: ListHold): ListHold {
    return holdOver(hold, {
      pause: () => {
        this.#isPaused = true
        this.#patience.stop()
        hold.pause()
      },
      resume: () => {
        this.#isPaused = false
        hold.resume()
        this.#await()
      },
      close: async () => {
        this.#answered()
        await hold.close()
        this.#write()
        await this.#writing
      },
    })
  }

  /** Reads the file. */
  open(): void {
    void this.#parts.file.read().then((read) => {
      if (this.#isAnswered || read.type === 'missing') return
      const items = read.type === 'found' ? this.#parts.parse(read.value) : undefined
      if (read.type === 'unusable') this.#observer.onProblem(read.error)
      else if (items === undefined) this.#observer.onProblem(unknownContent())
      else this.#found(items, read.savedAt)
    })
  }

  onValue(snapshot: ListSnapshot<Item>): void {
    this.#answered()
    if (snapshot.value.items.length > 0) {
      this.#unwritten = snapshot
      this.#timer ??= this.#parts.runtime.clock.setTimer(() => this.#write(), WRITE_DELAY_MS, { keepAlive: false })
    }
    this.#observer.onValue(snapshot)
  }

  onFailure(error: ProconsulError): void {
    this.#hasFailed = true
    this.#observer.onFailure(error)
    this.#await()
  }

  onRecovery(snapshot: ListSnapshot<Item>): void {
    this.#observer.onRecovery(snapshot)
  }

  onDoubt(): void {
    this.#observer.onDoubt()
  }

  onSaved(items: readonly Item[], savedAt: number): void {
    this.#observer.onSaved(items, savedAt)
  }

  onProblem(error: ProconsulError): void {
    this.#observer.onProblem(error)
  }

  #found(items: readonly Item[], savedAt: number): void {
    this.#saved = { items, savedAt }
    this.#await()
  }

  /** Consul has its time to answer, unless it has failed already. */
  #await(): void {
    if (this.#isPaused || this.#isAnswered || this.#saved === undefined) return
    if (this.#hasFailed) this.#show()
    else this.#patience.run()
  }

  #show(): void {
    if (this.#saved === undefined) return
    const { items, savedAt } = this.#saved
    this.#saved = undefined
    this.#shown = items
    this.#patience.stop()
    this.#observer.onSaved(items, savedAt)
  }

  #answered(): void {
    this.#isAnswered = true
    this.#saved = undefined
    this.#shown = undefined
    this.#patience.stop()
  }

  #write(): void {
    this.#timer?.cancel()
    this.#timer = undefined
    const snapshot = this.#unwritten
    if (snapshot === undefined) return
    this.#unwritten = undefined
    this.#writing = this.#parts.file.write(snapshot.value.items, snapshot.receivedAt).catch((error: unknown) => {
      if (isProconsulError(error)) this.#observer.onProblem(error)
    })
  }
}

function unknownContent(): ProconsulError {
  return new ProconsulError('PROCONSUL_CACHE_FAILED', 'the cache file holds no list of instances; it is ignored')
}
