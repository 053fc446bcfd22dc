import { AbortLink } from '../../core/abort.js'
import { persist } from '../../core/persist.js'
import { ProconsulError, isProconsulError } from '../../errors/proconsul-error.js'
import type { Hold, LiveSource, Observer } from '../../live/live-source.js'
import { askedOptions } from '../../watch/asked-options.js'
import { queryKey } from '../../watch/query-key.js'
import { scopeOf } from '../../watch/read-scope.js'
import type { WatchSubscription } from '../../watch/watch-query.js'
import { layersLabel } from '../layers/layer.js'
import { keepEntries, ownEntries, type LayerState } from './layer-state.js'
import type { LayerScope, PrefixMark, SourceParts } from './source-parts.js'

const DELAYS = Object.freeze({ firstMs: 100, maxMs: 10_000 })

/**
 * Waits for each prefix by a blocking query that brings only names, and upon any change reads all of them in one transaction, which is
 * one look at the store. A change during the read leads to another.
 * @param known what another source told of the same layers
 */
export function splitSource(
  parts: SourceParts,
  scope: LayerScope,
  prefixes: readonly string[],
  known?: LayerState,
): LiveSource<LayerState> {
  return {
    label: layersLabel(scope.layers),
    observe: (observer) => new SplitHold(parts, scope, prefixes, observer, known),
  }
}

class SplitHold implements Hold {
  readonly #parts: SourceParts
  readonly #scope: LayerScope
  readonly #prefixes: readonly string[]
  readonly #observer: Observer<LayerState>
  readonly #link = new AbortLink()
  readonly #marks: readonly WatchSubscription<PrefixMark>[]
  #state: LayerState | undefined
  /** `again` when a mark moved during the read. */
  #reading: 'no' | 'once' | 'again' = 'no'

  constructor(
    parts: SourceParts,
    scope: LayerScope,
    prefixes: readonly string[],
    observer: Observer<LayerState>,
    known: LayerState | undefined,
  ) {
    this.#parts = parts
    this.#scope = scope
    this.#prefixes = prefixes
    this.#observer = observer
    this.#state = known
    this.#marks = prefixes.map((prefix) => this.#subscribe(prefix))
  }

  pause(): void {
    for (const mark of this.#marks) mark.pause()
  }

  resume(): void {
    for (const mark of this.#marks) mark.resume()
  }

  refresh(): void {
    for (const mark of this.#marks) mark.refresh()
  }

  close(): void {
    this.#link.abort(new ProconsulError('PROCONSUL_CLOSED', 'the configuration is closed'))
    for (const mark of this.#marks) mark.close()
  }

  #subscribe(prefix: string): WatchSubscription<PrefixMark> {
    const { kv, marks } = this.#parts
    const { access } = this.#scope
    const query = {
      key: queryKey(prefix, access),
      scope: scopeOf(access),
      read: async (request: Parameters<typeof askedOptions>[0]) => {
        const { value, meta } = await kv.keys(prefix, { ...access, ...askedOptions(request) })
        const index = value.length === 0 ? 0 : (meta.index ?? 0)
        return { value: { index, isFiltered: meta.filteredByAcls === true }, meta }
      },
    }
    return marks.subscribe(query, {
      onValue: () => this.#moved(),
      onFailure: (error) => this.#observer.onFailure(error),
      // The change that an outage hid may be one that the mark does not show, such as a state that was lost and written anew.
      onRecovery: () => this.#moved(),
      onConfirmed: () => this.#confirmed(),
    })
  }

  /** A layer changed, or may have. What cannot be read, of one layer or all, is read when that is over. */
  #moved(): void {
    if (this.#reading === 'no' && this.#areGood) void this.#read()
    else if (this.#reading !== 'no') this.#reading = 'again'
  }

  async #read(): Promise<void> {
    const { signal } = this.#link
    const options = {
      runtime: this.#parts.runtime,
      delays: DELAYS,
      signal,
      // Whatever it is, the layers may be readable again later.
      mayRetry: () => true,
      onFailure: (error: ProconsulError) => this.#observer.onFailure(error),
    }
    try {
      do {
        this.#reading = 'once'
        this.#state = await persist(options, () => this.#look())
        if (this.#areGood && !this.#link.signal.aborted) this.#observer.onValue(this.#state)
      } while (this.#isAgain)
    } catch (error) {
      if (!signal.aborted) throw error
    } finally {
      this.#reading = 'no'
    }
  }

  async #look(): Promise<LayerState> {
    const { signal } = this.#link
    const options = { ...this.#scope.access, signal, repeat: false }
    const marks = this.#marks.map(({ snapshot }) => snapshot?.value)
    const index = Math.max(0, ...marks.map((mark) => mark?.index ?? 0))
    const read = await this.#parts.txn.trees(this.#prefixes, options).catch((error: unknown) => {
      throw isProconsulError(error) ? error : notUnderstood(error)
    })
    const entries = ownEntries(this.#scope, read)
    return {
      entries: keepEntries(this.#state?.entries ?? [], entries),
      index,
      isFiltered: marks.some((mark) => mark?.isFiltered === true),
      confirmedAt: this.#parts.runtime.clock.now(),
    }
  }

  /** A layer is as it was. All of them are known to be right since the one that was looked at longest ago. */
  #confirmed(): void {
    if (this.#reading !== 'no' || this.#state === undefined || !this.#areGood) return
    const confirmedAt = Math.min(...this.#marks.map(({ snapshot }) => snapshot?.receivedAt ?? 0))
    if (confirmedAt <= this.#state.confirmedAt) return
    this.#state = { ...this.#state, confirmedAt }
    this.#observer.onValue(this.#state)
  }

  get #areGood(): boolean {
    return this.#marks.every(({ snapshot, failure }) => snapshot !== undefined && failure === undefined)
  }

  /** Asked anew each time, for the answer changes while the loop waits. */
  get #isAgain(): boolean {
    return this.#reading === 'again' && !this.#link.signal.aborted
  }
}

function notUnderstood(cause: unknown): ProconsulError {
  return new ProconsulError('PROCONSUL_BAD_RESPONSE', 'config.layers: the answer could not be understood', { cause })
}
