import { tell } from '../core/channels.js'
import type { Timer } from '../core/clock.js'
import { Countdown } from '../core/countdown.js'
import type { Runtime } from '../core/runtime.js'
import type { SnapshotFile, SnapshotRead } from '../core/snapshot-file.js'
import { ProconsulError, isProconsulError } from '../errors/proconsul-error.js'
import type { Hold, Observer } from '../live/live-source.js'
import type { InstanceList, InstanceSource } from './instance-source.js'
import { savedInstances, type SavedInstances } from './saved-instances.js'

/** A list from a cache file, with the label of the source that it came from. */
export type SavedList = InstanceList & Pick<SavedInstances, 'servedBy'>

/** What a cache works with. */
export interface CacheParts {
  readonly runtime: Runtime
  readonly file: SnapshotFile
  readonly label: string
  /**
   * The source whose lists are kept, once it is known what the file holds.
   * @param onServing is to be called with the label of the source that serves, where there are several
   */
  readonly open: (saved: SavedList | undefined, onServing: (label: string) => void) => InstanceSource
}

/** A write follows a change by so long, so that a storm of changes is one write. */
const WRITE_DELAY_MS = 1_000

/** So long a source may take to answer before the saved list is shown; a failed read shows it at once. */
const PATIENCE_MS = 1_000

/** So long the file may take; then the source is read without it. A folder of the network can hang. */
const FILE_PATIENCE_MS = 1_000

/**
 * A source that keeps its last list in a file, and shows what the file holds when nothing can be read at the start, or when what is read
 * is in doubt. An empty list is not written: it would throw away the list that such a start needs.
 */
export function cachedSource(parts: CacheParts): InstanceSource {
  return {
    label: parts.label,
    observe(observer) {
      const cache = new InstanceCache(observer, parts)
      cache.read()
      return cache.hold
    },
  }
}

class InstanceCache implements Observer<InstanceList> {
  readonly #observer: Observer<InstanceList>
  readonly #parts: CacheParts
  readonly #patience: Countdown
  /** The file is being read, or the view was paused before the source was opened. */
  #state: 'reading' | 'ready' | 'open' | 'closed' = 'reading'
  #isPaused = false
  #hold: Hold | undefined
  /** What the file holds, until it is shown or an answer has come. */
  #saved: SavedList | undefined
  #hasFailed = false
  #servedBy: string
  #latest: InstanceList | undefined
  #written: InstanceList | undefined
  #fileTimer: Timer | undefined
  #writeTimer: Timer | undefined
  #writing: Promise<void> = Promise.resolve()
  #isUnwritable = false

  constructor(observer: Observer<InstanceList>, parts: CacheParts) {
    this.#observer = observer
    this.#parts = parts
    this.#servedBy = parts.label
    this.#patience = new Countdown(parts.runtime.clock, PATIENCE_MS, () => this.#show())
  }

  get hold(): Hold {
    return {
      pause: () => this.#pause(),
      resume: () => this.#resume(),
      refresh: () => this.#hold?.refresh?.(),
      close: () => this.#close(),
    }
  }

  /** Reads the file, and then the source. */
  read(): void {
    this.#fileTimer = this.#parts.runtime.clock.setTimer(() => this.#begin(undefined), FILE_PATIENCE_MS)
    void this.#parts.file.read().then((read) => this.#begin(read))
  }

  onValue(list: InstanceList): void {
    this.#answered()
    this.#latest = list
    this.#observer.onValue(list)
    if (list.instances.length === 0 || list.instances === this.#written?.instances) return
    this.#writeTimer ??= this.#parts.runtime.clock.setTimer(() => this.#write(), WRITE_DELAY_MS, { keepAlive: false })
  }

  onFailure(error: ProconsulError): void {
    this.#hasFailed = true
    this.#observer.onFailure(error)
    this.#show()
  }

  onDoubt(error: ProconsulError): void {
    this.#show()
    this.#observer.onDoubt(error)
  }

  onSaved(list: InstanceList): void {
    this.#observer.onSaved(list)
  }

  onProblem(error: ProconsulError): void {
    this.#observer.onProblem(error)
  }

  #begin(read: SnapshotRead | undefined): void {
    if (this.#state !== 'reading') return
    this.#state = 'ready'
    this.#fileTimer?.cancel()
    this.#saved = this.#take(read)
    if (!this.#isPaused) this.#open()
  }

  #take(read: SnapshotRead | undefined): SavedList | undefined {
    if (read?.type === 'missing') return undefined
    const saved = read?.type === 'found' ? savedInstances(read.value) : undefined
    if (read?.type === 'found' && saved !== undefined) {
      return { ...saved, confirmedAt: read.savedAt, isContinuous: false }
    }
    this.#problem(read?.type === 'unusable' ? read.error : unusable(read === undefined))
    return undefined
  }

  #open(): void {
    this.#state = 'open'
    const source = this.#parts.open(this.#saved, (label) => {
      this.#servedBy = label
    })
    this.#hold = source.observe(this)
    this.#await()
  }

  #pause(): void {
    this.#isPaused = true
    this.#patience.stop()
    this.#hold?.pause?.()
  }

  #resume(): void {
    this.#isPaused = false
    if (this.#state === 'ready') this.#open()
    else this.#hold?.resume?.()
    this.#await()
  }

  async #close(): Promise<void> {
    this.#state = 'closed'
    this.#fileTimer?.cancel()
    this.#answered()
    await this.#hold?.close()
    // Also when nothing changed since the last time: the next start then knows until when it was right.
    if (this.#latest !== this.#written && this.#latest?.instances.length !== 0) this.#write()
    await this.#writing
  }

  /** The source has its time to answer, unless it has failed already. */
  #await(): void {
    if (this.#isPaused || this.#saved === undefined || this.#state !== 'open') return
    if (this.#hasFailed) this.#show()
    else this.#patience.run()
  }

  #show(): void {
    const saved = this.#saved
    this.#answered()
    if (saved !== undefined) this.#observer.onSaved(saved)
  }

  #answered(): void {
    this.#saved = undefined
    this.#patience.stop()
  }

  #write(): void {
    this.#writeTimer?.cancel()
    this.#writeTimer = undefined
    const list = this.#latest
    if (list === undefined || list.instances.length === 0) return
    this.#written = list
    const value: SavedInstances = { servedBy: this.#servedBy, instances: list.instances }
    this.#writing = this.#parts.file.write(value, list.confirmedAt).then(
      () => {
        this.#isUnwritable = false
      },
      (error: unknown) => {
        if (isProconsulError(error) && !this.#isUnwritable) this.#problem(error)
        this.#isUnwritable = true
      },
    )
  }

  #problem(error: ProconsulError): void {
    const { runtime, label } = this.#parts
    tell(runtime.logger, 'cache-failed', { source: label, err: error }, `${label}: the cache file is of no use`)
    this.#observer.onProblem(error)
  }
}

function unusable(isSlow: boolean): ProconsulError {
  const why = isSlow ? 'takes too long to read' : 'holds no list of instances'
  return new ProconsulError('PROCONSUL_CACHE_FAILED', `the cache file ${why}; it is ignored`)
}
