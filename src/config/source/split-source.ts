import { AbortLink } from '../../core/abort.js'
import { backoffMs } from '../../core/backoff.js'
import { sleep } from '../../core/sleep.js'
import { ProconsulError, isProconsulError } from '../../errors/proconsul-error.js'
import { askedOptions } from '../../watch/asked-options.js'
import { queryKey } from '../../watch/query-key.js'
import { scopeOf } from '../../watch/read-scope.js'
import type { WatchSubscription } from '../../watch/watch-query.js'
import { provesDeletion } from './deletion-proof.js'
import type { LayerScope, SourceParts } from './layer-reader.js'
import { keepEntries, ownEntries, type LayerState, type StateObserver, type StateSource } from './layer-state.js'

/** Where a prefix stands: the index of its last change; 0 while nothing is there. */
export interface PrefixMark {
  readonly index: number
}

const DELAYS = Object.freeze({ firstMs: 100, maxMs: 10_000 })

/**
 * Waits for each prefix by a blocking query that brings only names, and upon any change reads all of them in one transaction, which is
 * one look at the store. A change during the read leads to another.
 */
export class SplitSource implements StateSource {
  readonly #parts: SourceParts
  readonly #scope: LayerScope
  readonly #prefixes: readonly string[]
  readonly #observer: StateObserver
  readonly #link = new AbortLink()
  #marks: readonly WatchSubscription<PrefixMark>[] = []
  #state: LayerState | undefined
  #isReading = false
  #isWanted = false
  /** What the observer knows of the reads. It may have heard of failures before this began: the first good one is a recovery as well. */
  #reads: 'unknown' | 'good' | 'failing' = 'unknown'

  constructor(
    parts: SourceParts,
    scope: LayerScope,
    prefixes: readonly string[],
    observer: StateObserver,
    known?: LayerState,
  ) {
    this.#parts = parts
    this.#scope = scope
    this.#prefixes = prefixes
    this.#observer = observer
    this.#state = known
  }

  start(): this {
    this.#marks = this.#prefixes.map((prefix) => this.#subscribe(prefix))
    return this
  }

  close(): void {
    this.#link.abort(new ProconsulError('PROCONSUL_CLOSED', 'the configuration is closed'))
    for (const mark of this.#marks) mark.close()
  }

  #subscribe(prefix: string): WatchSubscription<PrefixMark> {
    const { kv, marks } = this.#parts
    const { access } = this.#scope
    return marks.subscribe(
      {
        key: queryKey(prefix, access),
        scope: scopeOf(access),
        read: async (request) => {
          const { value, meta } = await kv.keys(prefix, { ...access, ...askedOptions(request) })
          return { value: { index: value.length === 0 ? 0 : (meta.index ?? 0) }, meta }
        },
      },
      {
        onValue: () => void this.#read(),
        onFailure: (error) => this.#failed(error),
        // The change that an outage hid may be one that the mark does not show, such as a state that was lost and written anew.
        onRecovery: () => void this.#read(),
      },
    )
  }

  async #read(): Promise<void> {
    this.#isWanted = true
    if (this.#isReading || this.#marks.some(({ snapshot, failure }) => snapshot === undefined && failure === undefined))
      return
    this.#isReading = true
    for (let attempt = 0; this.#needsRead;) {
      this.#isWanted = false
      try {
        await this.#readOnce()
        attempt = 0
      } catch (error) {
        this.#isWanted = true
        await this.#pause(error, attempt)
        attempt += 1
      }
    }
    this.#isReading = false
  }

  /** Asked anew each time, for the answer changes while the loop waits. */
  get #needsRead(): boolean {
    return this.#isWanted && !this.#link.signal.aborted
  }

  async #readOnce(): Promise<void> {
    const { access } = this.#scope
    const { signal } = this.#link
    const index = Math.max(0, ...this.#marks.map(({ snapshot }) => snapshot?.index ?? 0))
    const read = ownEntries(
      this.#scope,
      await this.#parts.txn.trees(this.#prefixes, { ...access, signal, repeat: false }),
    )
    const before = this.#state ?? { entries: [], index: 0 }
    const entries = keepEntries(before.entries, read)
    const advanced = await provesDeletion(this.#parts, this.#scope, { before, entries }, signal)
    if (signal.aborted) return
    const isSame = entries === this.#state?.entries
    if (this.#reads !== 'good' && this.#marks.every(({ failure }) => failure === undefined)) {
      this.#reads = 'good'
      this.#observer.onRecovery(isSame)
    }
    // The observer may have closed this when it heard of the recovery.
    if (isSame || this.#link.signal.aborted) return
    this.#state = { entries, index, advanced, isCrowded: false }
    this.#observer.onState(this.#state)
  }

  async #pause(error: unknown, attempt: number): Promise<void> {
    const { signal } = this.#link
    const { clock, random } = this.#parts.runtime
    if (isProconsulError(error) && !signal.aborted) this.#failed(error)
    await sleep(backoffMs(attempt, DELAYS, random), { clock, signal }).catch(() => undefined)
  }

  #failed(error: ProconsulError): void {
    if (this.#reads === 'failing') return
    this.#reads = 'failing'
    this.#observer.onFailure(error)
  }
}
