import { AbortLink } from '../../core/abort.js'
import type { Clock, Timer } from '../../core/clock.js'
import { formatDuration } from '../../core/duration.js'
import { ProconsulError } from '../../errors/proconsul-error.js'
import { observerOver, type Hold, type LiveSource, type Observer } from '../../live/live-source.js'
import { quoted, type ConfigLayer } from '../layers/layer.js'
import type { LayerState } from '../source/layer-state.js'
import type { Fate, MissingKeys } from './missing-keys.js'

/** What the layers held at the last look that was believed. */
export interface KnownKeys {
  readonly entries: readonly { readonly key: string }[]
  /** Raft index of that look. */
  readonly index: number
  /** Whether an earlier run of the process had it, and kept it in a file. */
  readonly isEarlierRun: boolean
}

/** What the guard works with. */
export interface LossGuardParts {
  readonly clock: Clock
  readonly layers: readonly ConfigLayer[]
  readonly missingKeys: Pick<MissingKeys, 'fateOf' | 'isNoneReadable'>
  /** How long missing keys are taken for lost; 0 believes at once. */
  readonly holdMs: number
  /** What an earlier run knew. */
  readonly known: KnownKeys | undefined
}

/**
 * Tells a deletion from a loss. Keys that are missing after an outage, or without proof that they were deleted, may be lost (an agent
 * that restarted empty, a token that may not read them any more); such a state is held back until the keys are there again, or for a
 * bounded time, after which it is taken as it is. What the token may not read is held back for as long as that lasts.
 */
export function lossGuard(source: LiveSource<LayerState>, parts: LossGuardParts): LiveSource<LayerState> {
  return { label: source.label, observe: (observer) => new GuardHold(source, parts, observer) }
}

/** What the guard does with the newest state. */
type State =
  /** It was believed, or there is none yet. */
  | { readonly type: 'believing' }
  /** Consul is being asked what became of keys that it does not have; newer states take the place of this one meanwhile. */
  | { readonly type: 'asking'; readonly newest: LayerState }
  /** Held back. The timer runs while the source can be read. */
  | { readonly type: 'holding'; readonly newest: LayerState; readonly doubt: ProconsulError; readonly timer?: Timer }

class GuardHold implements Hold {
  readonly #parts: LossGuardParts
  readonly #observer: Observer<LayerState>
  readonly #link = new AbortLink()
  readonly #hold: Hold
  #state: State = { type: 'believing' }
  #known: KnownKeys | undefined
  /** Whether a read failed since what is known was read. */
  #wasInterrupted = false

  constructor(source: LiveSource<LayerState>, parts: LossGuardParts, observer: Observer<LayerState>) {
    this.#parts = parts
    this.#observer = observer
    this.#known = parts.known
    const onValue = (state: LayerState): void => this.#judge(state)
    const onFailure = (error: ProconsulError): void => this.#onFailure(error)
    this.#hold = source.observe(observerOver(observer, { onValue, onFailure }))
  }

  pause(): void {
    this.#hold.pause?.()
    this.#stopTimer()
  }

  resume(): void {
    this.#hold.resume?.()
  }

  refresh(): void {
    this.#hold.refresh?.()
  }

  close(): void | Promise<void> {
    this.#link.abort(new ProconsulError('PROCONSUL_CLOSED', 'the configuration is closed'))
    this.#stopTimer()
    this.#state = { type: 'believing' }
    return this.#hold.close()
  }

  #onFailure(error: ProconsulError): void {
    this.#wasInterrupted = true
    // The time for which a loss is held back is one in which the keys could come back.
    this.#stopTimer()
    this.#observer.onFailure(error)
  }

  #judge(state: LayerState): void {
    if (this.#state.type === 'asking') {
      this.#state = { type: 'asking', newest: state }
      return
    }
    const keys = this.#missing(state)
    if (this.#known === undefined && this.#isBare(state)) void this.#askForLayers(state)
    else if (keys.length === 0 || this.#parts.holdMs === 0) this.#believe(state)
    else if (this.#wasInterrupted) this.#holdBack(state, this.#doubt('lost', keys))
    else void this.#askFor(keys, state)
  }

  /** Whether there is nothing at all, which would be taken for a configuration all the same. */
  #isBare({ entries }: LayerState): boolean {
    return entries.length === 0 && this.#parts.layers.every(({ optional }) => optional)
  }

  /** Nothing is there, or the token may read nothing: a start on defaults alone must not be a mistake. */
  async #askForLayers(state: LayerState): Promise<void> {
    this.#state = { type: 'asking', newest: state }
    const isDenied = state.isFiltered || (await this.#parts.missingKeys.isNoneReadable(this.#link.signal))
    const newest = this.#answered()
    if (newest === undefined) return
    if (!isDenied || !this.#isBare(newest)) {
      this.#believe(newest)
      return
    }
    const message = `the token may not read the layers ${quoted(this.#parts.layers)}`
    this.#observer.onFailure(new ProconsulError('PROCONSUL_PERMISSION_DENIED', message))
  }

  async #askFor(keys: readonly string[], state: LayerState): Promise<void> {
    this.#state = { type: 'asking', newest: state }
    const fate = await this.#fateOf(keys)
    const newest = this.#answered()
    const known = this.#known
    if (newest === undefined || known === undefined) return
    if (fate === 'deleted') {
      const gone = new Set(keys)
      this.#known = { ...known, entries: known.entries.filter(({ key }) => !gone.has(key)) }
      this.#judge(newest)
      return
    }
    const missing = this.#missing(newest)
    if (missing.length === 0) this.#believe(newest)
    else if (fate === 'denied' && known.isEarlierRun && newest.entries.length === 0)
      this.#observer.onFailure(denied(keys))
    else this.#holdBack(newest, this.#doubt(fate, missing))
  }

  async #fateOf(keys: readonly string[]): Promise<Fate> {
    const { index: since = 0, isEarlierRun = false } = this.#known ?? {}
    return await this.#parts.missingKeys.fateOf({ keys, since, isEarlierRun }, this.#link.signal)
  }

  /** The state to go on with after a question; undefined when this was closed meanwhile. */
  #answered(): LayerState | undefined {
    if (this.#state.type !== 'asking') return undefined
    const { newest } = this.#state
    this.#state = { type: 'believing' }
    return newest
  }

  #holdBack(newest: LayerState, doubt: ProconsulError): void {
    const { clock, holdMs } = this.#parts
    // While it is being filled again, an emptied store advances: all of that belongs to the same loss.
    this.#wasInterrupted = true
    const running = this.#state.type === 'holding' ? this.#state.timer : undefined
    const timer = running ?? clock.setTimer(() => void this.#over(), holdMs)
    this.#state = { type: 'holding', newest, doubt, timer }
    this.#observer.onDoubt(doubt)
  }

  async #over(): Promise<void> {
    if (this.#state.type !== 'holding') return
    const { newest } = this.#state
    const keys = this.#missing(newest)
    this.#state = { type: 'asking', newest }
    const isDenied = (await this.#fateOf(keys)) === 'denied'
    const latest = this.#answered()
    if (latest === undefined) return
    if (isDenied && this.#missing(latest).length > 0) this.#holdBack(latest, this.#doubt('denied', keys))
    else this.#believe(latest)
  }

  #believe(state: LayerState): void {
    this.#stopTimer()
    this.#state = { type: 'believing' }
    this.#known = { entries: state.entries, index: state.index, isEarlierRun: false }
    this.#wasInterrupted = false
    this.#observer.onValue(state)
  }

  #missing(state: LayerState): readonly string[] {
    if (this.#known === undefined || this.#known.entries === state.entries) return []
    const present = new Set(state.entries.map(({ key }) => key))
    return this.#known.entries.map(({ key }) => key).filter((key) => !present.has(key))
  }

  #doubt(fate: Fate, keys: readonly string[]): ProconsulError {
    if (fate === 'denied') return denied(keys)
    const message =
      `${keys.length} keys are missing after an outage, or without proof that they were deleted; ` +
      `they are taken for lost, not deleted, for ${formatDuration(this.#parts.holdMs)}`
    return new ProconsulError('PROCONSUL_UNAVAILABLE', message)
  }

  #stopTimer(): void {
    if (this.#state.type !== 'holding') return
    const { newest, doubt, timer } = this.#state
    timer?.cancel()
    this.#state = { type: 'holding', newest, doubt }
  }
}

function denied(keys: readonly string[]): ProconsulError {
  const message = `${keys.length} keys are missing that the token may not read; the first is ${JSON.stringify(keys[0])}`
  return new ProconsulError('PROCONSUL_PERMISSION_DENIED', message)
}
