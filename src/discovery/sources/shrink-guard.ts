import { Countdown } from '../../core/countdown.js'
import type { Runtime } from '../../core/runtime.js'
import type { ProconsulError } from '../../errors/proconsul-error.js'
import type { Listing } from '../listing.js'
import type { ResolvedShrinkGuard } from '../service-query.js'
import {
  holdOver,
  type ListHold,
  type ListObserver,
  type ListSnapshot,
  type ListSource,
  type ShownList,
} from './list-source.js'

/** What a guard works with. */
export interface ShrinkGuardParts<Item> {
  readonly runtime: Runtime
  readonly options: ResolvedShrinkGuard
  readonly key: (item: Item) => string
  /** Reads the list once from the leader, past every cache. */
  readonly confirm: (signal: AbortSignal) => Promise<readonly Item[]>
}

/** A loss that is held back. */
interface Holding<Item> {
  readonly type: 'holding'
  /** What the source says; the observer still has what was before it. */
  doubted: ListSnapshot<Item>
  /** When the list that the observer has was last confirmed. */
  readonly confirmedAt: number | undefined
  /** Runs while Consul can be asked. */
  readonly countdown: Countdown
  /** The question to the leader. */
  reading: AbortController | undefined
  /** How often the leader was asked in vain when the time was over. */
  inVain: number
}

type State<Item> = { readonly type: 'open' } | Holding<Item> | { readonly type: 'closed' }

/** A loss that the leader does not confirm is believed after so many times the hold: by then a connection that is half open was noticed. */
const MOST_HOLDS = 3

/**
 * A source whose sudden loss of most items is held back until the leader confirms it, and for a bounded time at most. When the registry
 * may have lost its state, a confirmation says nothing at first: then the time is given in full, in which services that beat come back.
 * An index that went backwards gives that away, but not always, for a service that is gone has the index of all services; so a loss
 * that is the first thing read after a failure counts as well. The time stands still while Consul cannot be asked.
 */
export function shrinkGuard<Item>(source: ListSource<Item>, parts: ShrinkGuardParts<Item>): ListSource<Item> {
  return {
    subscribe(observer, shown) {
      const guard = new ShrinkGuard(observer, parts, shown)
      return guard.over(source.subscribe(guard))
    },
  }
}

class ShrinkGuard<Item> implements ListObserver<Item> {
  readonly #observer: ListObserver<Item>
  readonly #parts: ShrinkGuardParts<Item>
  readonly #shown: ShownList<Item> | undefined
  #state: State<Item> = { type: 'open' }
  #accepted: ListSnapshot<Item> | undefined
  /** What the source said last. */
  #heard: Listing<Item> | undefined
  #isFailing = false

  constructor(observer: ListObserver<Item>, parts: ShrinkGuardParts<Item>, shown: ShownList<Item> | undefined) {
    this.#observer = observer
    this.#parts = parts
    this.#shown = shown
  }

  over(hold: ListHold): ListHold {
    return holdOver(hold, {
      confirmedAt: () => (this.#state.type === 'holding' ? this.#state.confirmedAt : hold.confirmedAt),
      pause: () => {
        if (this.#state.type === 'holding') standStill(this.#state)
        hold.pause()
      },
      resume: () => {
        hold.resume()
        if (this.#state.type === 'holding' && !this.#isFailing) this.#state.countdown.run()
      },
      close: () => {
        this.#release({ type: 'closed' })
        return hold.close()
      },
    })
  }

  onValue(snapshot: ListSnapshot<Item>, before = this.#accepted): void {
    if (this.#state.type === 'closed') return
    const wasFailing = this.#isFailing
    this.#isFailing = false
    this.#heard = snapshot.value
    if (!this.#isDoubtful(snapshot.value.items)) {
      this.#accept(snapshot)
    } else if (this.#state.type === 'holding') {
      this.#state.doubted = snapshot
      if (wasFailing) this.#goOn(this.#state)
    } else {
      const mayBeWiped = wasFailing || before === undefined || (snapshot.index ?? 0) < (before.index ?? 0)
      this.#hold(snapshot, mayBeWiped, before?.receivedAt)
    }
  }

  onFailure(error: ProconsulError): void {
    if (this.#state.type === 'closed') return
    this.#isFailing = true
    if (this.#state.type === 'holding') standStill(this.#state)
    this.#observer.onFailure(error)
  }

  onRecovery(snapshot: ListSnapshot<Item>): void {
    // With anything new its value is reported right after this, and may be in doubt.
    if (this.#state.type === 'closed' || snapshot.value !== this.#heard) return
    this.#isFailing = false
    if (this.#state.type === 'holding') this.#goOn(this.#state)
    else this.#observer.onRecovery(snapshot)
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
    const before = this.#accepted?.value.items ?? this.#shown?.() ?? []
    if (before.length < options.atLeast || next.length >= before.length) return false
    const kept = new Set(next.map(key))
    const lost = before.filter((item) => !kept.has(key(item))).length
    return lost > options.share * before.length
  }

  #hold(doubted: ListSnapshot<Item>, mayBeWiped: boolean, confirmedAt: number | undefined): void {
    const { runtime, options } = this.#parts
    const holding: Holding<Item> = {
      type: 'holding',
      doubted,
      confirmedAt,
      countdown: new Countdown(runtime.clock, options.holdMs, () => void this.#ask(holding, true)),
      reading: undefined,
      inVain: 0,
    }
    this.#state = holding
    if (!mayBeWiped) void this.#ask(holding, false)
    this.#goOn(holding)
  }

  /** The loss is there, and Consul can be asked. */
  #goOn(holding: Holding<Item>): void {
    holding.countdown.run()
    this.#observer.onDoubt()
  }

  /** Asks the leader, at once or when the time is over. What fails here is reported by the loop of the query. */
  async #ask(holding: Holding<Item>, isOver: boolean): Promise<void> {
    holding.reading?.abort()
    const reading = new AbortController()
    holding.reading = reading
    const items = await this.#parts.confirm(reading.signal).catch(() => undefined)
    if (reading.signal.aborted) return
    if (items !== undefined && this.#isDoubtful(items)) this.#accept(holding.doubted)
    else if (isOver) this.#askedInVain(holding)
  }

  #askedInVain(holding: Holding<Item>): void {
    holding.inVain += 1
    if (holding.inVain < MOST_HOLDS) holding.countdown.restart()
    else this.#accept(holding.doubted)
  }

  #accept(snapshot: ListSnapshot<Item>): void {
    this.#release({ type: 'open' })
    this.#accepted = snapshot
    this.#observer.onValue(snapshot)
  }

  #release(next: State<Item>): void {
    if (this.#state.type === 'holding') standStill(this.#state)
    this.#state = next
  }
}

/** Neither time nor an answer from now on counts. */
function standStill<Item>({ countdown, reading }: Holding<Item>): void {
  countdown.stop()
  reading?.abort()
}
