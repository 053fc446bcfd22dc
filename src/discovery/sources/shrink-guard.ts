import type { Timer } from '../../core/clock.js'
import type { Runtime } from '../../core/runtime.js'
import type { ProconsulError } from '../../errors/proconsul-error.js'
import type { ResolvedShrinkGuard } from '../service-query.js'
import { closedBy, type ListHold, type ListObserver, type ListSnapshot, type ListSource } from './list-source.js'

/** What a guard works with. */
export interface ShrinkGuardParts<Item> {
  readonly runtime: Runtime
  readonly options: ResolvedShrinkGuard
  readonly key: (item: Item) => string
  /** Reads the list once from the leader, past every cache. */
  readonly confirm: (signal: AbortSignal) => Promise<readonly Item[]>
}

type State<Item> =
  | { readonly type: 'open' }
  /** `doubted` is what the source says; the observer still has what was before it. */
  | { readonly type: 'holding'; doubted: ListSnapshot<Item>; readonly timer: Timer; readonly reading: AbortController }
  | { readonly type: 'closed' }

/**
 * A source whose sudden loss of most items is held back until the leader confirms it, and for a bounded time at most. After a loss of
 * the registry's state, which an index that went backwards gives away, a confirmation says nothing: then the time is given in full,
 * in which services that beat come back.
 */
export function shrinkGuard<Item>(source: ListSource<Item>, parts: ShrinkGuardParts<Item>): ListSource<Item> {
  return {
    subscribe(observer) {
      const guard = new ShrinkGuard(observer, parts)
      return guard.over(source.subscribe(guard))
    },
  }
}

class ShrinkGuard<Item> implements ListObserver<Item> {
  readonly #observer: ListObserver<Item>
  readonly #parts: ShrinkGuardParts<Item>
  #state: State<Item> = { type: 'open' }
  #accepted: ListSnapshot<Item> | undefined

  constructor(observer: ListObserver<Item>, parts: ShrinkGuardParts<Item>) {
    this.#observer = observer
    this.#parts = parts
  }

  over(hold: ListHold): ListHold {
    return closedBy(hold, () => {
      this.#release({ type: 'closed' })
      return hold.close()
    })
  }

  onValue(snapshot: ListSnapshot<Item>): void {
    if (this.#state.type === 'closed') return
    if (!this.#isDoubtful(snapshot.value.items)) this.#accept(snapshot)
    else if (this.#state.type === 'holding') this.#state.doubted = snapshot
    else this.#hold(snapshot)
  }

  onFailure(error: ProconsulError): void {
    this.#observer.onFailure(error)
  }

  onRecovery(snapshot: ListSnapshot<Item>): void {
    // The value that comes with a recovery is reported right after it, and may be in doubt.
    queueMicrotask(() => {
      if (this.#state.type === 'open') this.#observer.onRecovery(snapshot)
    })
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

  #isDoubtful(next: readonly Item[]): boolean {
    const { options, key } = this.#parts
    const before = this.#accepted?.value.items ?? []
    if (before.length < options.atLeast || next.length >= before.length) return false
    const kept = new Set(next.map(key))
    const lost = before.filter((item) => !kept.has(key(item))).length
    return lost > options.share * before.length
  }

  #hold(doubted: ListSnapshot<Item>): void {
    const { runtime, options } = this.#parts
    const timer = runtime.clock.setTimer(() => this.#believe(), options.holdMs)
    const reading = new AbortController()
    this.#state = { type: 'holding', doubted, timer, reading }
    this.#observer.onDoubt()
    const isWiped = (doubted.index ?? 0) < (this.#accepted?.index ?? 0)
    if (!isWiped) void this.#confirm(reading.signal)
  }

  async #confirm(signal: AbortSignal): Promise<void> {
    try {
      const items = await this.#parts.confirm(signal)
      if (!signal.aborted && this.#isDoubtful(items)) this.#believe()
    } catch {
      // Unconfirmed: the hold ends with its time. The loop of the query reports what fails.
    }
  }

  #believe(): void {
    if (this.#state.type === 'holding') this.#accept(this.#state.doubted)
  }

  #accept(snapshot: ListSnapshot<Item>): void {
    this.#release({ type: 'open' })
    this.#accepted = snapshot
    this.#observer.onValue(snapshot)
  }

  #release(next: State<Item>): void {
    if (this.#state.type === 'holding') {
      this.#state.timer.cancel()
      this.#state.reading.abort()
    }
    this.#state = next
  }
}
