import { Countdown } from '../core/countdown.js'
import type { Runtime } from '../core/runtime.js'
import { ProconsulError } from '../errors/proconsul-error.js'
import { holdOver, type Hold, type Observer } from '../live/live-source.js'
import type { ResolvedLossGuard } from '../live/loss-guard-options.js'
import type { InstanceList, InstanceSource } from './instance-source.js'
import { instanceKey, type ServiceInstance } from './service-instance.js'

/** What a guard works with. */
export interface LossGuardParts {
  readonly runtime: Runtime
  readonly options: ResolvedLossGuard
  /** What a cache file says that the source had: it counts as known as long as the source has told no list. */
  readonly saved?: InstanceList | undefined
}

/** A loss that is held back. */
interface Holding {
  readonly type: 'holding'
  /** What the source says; the observer still has what was before it. */
  doubted: InstanceList
  /** Whether the registry may have lost its state. */
  mayBeWiped: boolean
  /** Runs while the source can be read. */
  readonly countdown: Countdown
  /** The question whether the loss is true, while it is asked. */
  reading: AbortController | undefined
  /** How often that was asked in vain when the time was over. */
  inVain: number
}

type State = { readonly type: 'open' } | Holding | { readonly type: 'closed' }

/** A loss that is not confirmed is believed after so many times the hold: by then a connection that is half open was noticed. */
const MOST_HOLDS = 3

/**
 * A source whose sudden loss of most instances is held back until it is confirmed, and for a bounded time at most. When the registry may
 * have lost its state, a confirmation says nothing at first: then the time is given in full, in which services that beat come back. So it
 * is when the source says that its list does not continue the one before, when the loss is the first thing read after a failure, and
 * when it is the first thing read after a start with a saved list. Then short lists are guarded as well. The
 * time stands still while the source cannot be read.
 */
export function lossGuard(source: InstanceSource, parts: LossGuardParts): InstanceSource {
  return {
    label: source.label,
    observe(observer) {
      const guard = new LossGuard(source, observer, parts)
      return guard.over(source.observe(guard))
    },
  }
}

class LossGuard implements Observer<InstanceList> {
  readonly #source: InstanceSource
  readonly #observer: Observer<InstanceList>
  readonly #parts: LossGuardParts
  #state: State = { type: 'open' }
  #accepted: InstanceList | undefined
  #isFailing = false

  constructor(source: InstanceSource, observer: Observer<InstanceList>, parts: LossGuardParts) {
    this.#source = source
    this.#observer = observer
    this.#parts = parts
  }

  over(hold: Hold): Hold {
    return holdOver(hold, {
      pause: () => {
        if (this.#state.type === 'holding') standStill(this.#state)
        hold.pause?.()
      },
      resume: () => {
        hold.resume?.()
        if (this.#state.type === 'holding' && !this.#isFailing) this.#state.countdown.run()
      },
      close: () => {
        this.#release({ type: 'closed' })
        return hold.close()
      },
    })
  }

  onValue(list: InstanceList): void {
    if (this.#state.type === 'closed') return
    if (this.#isHidden(list)) {
      this.onFailure(hidden(this.#source))
      return
    }
    const wasFailing = this.#isFailing
    this.#isFailing = false
    const mayBeWiped = wasFailing || this.#accepted === undefined || !list.isContinuous
    if (this.#state.type === 'holding') this.#goOnWith(this.#state, list, { wasFailing, mayBeWiped })
    else if (this.#isDoubtful(list.instances, mayBeWiped)) this.#hold(list, mayBeWiped)
    else this.#accept(list)
  }

  onFailure(error: ProconsulError): void {
    if (this.#state.type === 'closed') return
    this.#isFailing = true
    if (this.#state.type === 'holding') standStill(this.#state)
    this.#observer.onFailure(error)
  }

  onDoubt(error: ProconsulError): void {
    if (this.#state.type !== 'closed') this.#observer.onDoubt(error)
  }

  onSaved(list: InstanceList): void {
    if (this.#state.type !== 'closed') this.#observer.onSaved(list)
  }

  onProblem(error: ProconsulError): void {
    if (this.#state.type !== 'closed') this.#observer.onProblem(error)
  }

  get #known(): readonly ServiceInstance[] {
    return (this.#accepted ?? this.#parts.saved)?.instances ?? []
  }

  /** Credentials that do not show the instances any more say nothing about them. */
  #isHidden({ instances, emptyReason }: InstanceList): boolean {
    return instances.length === 0 && emptyReason === 'filtered-by-acl' && this.#known.length > 0
  }

  #isDoubtful(next: readonly ServiceInstance[], mayBeWiped: boolean): boolean {
    const { share, atLeast } = this.#parts.options
    const known = this.#known
    if (next.length >= known.length || (known.length < atLeast && !mayBeWiped)) return false
    const lost = this.#lostIn(next)
    return lost > share * known.length || lost === known.length
  }

  #lostIn(next: readonly ServiceInstance[]): number {
    const kept = new Set(next.map(instanceKey))
    return this.#known.filter((instance) => !kept.has(instanceKey(instance))).length
  }

  #hold(doubted: InstanceList, mayBeWiped: boolean): void {
    const { runtime, options } = this.#parts
    const holding: Holding = {
      type: 'holding',
      doubted,
      mayBeWiped,
      countdown: new Countdown(runtime.clock, options.holdMs, () => void this.#ask(holding, true)),
      reading: undefined,
      inVain: 0,
    }
    this.#state = holding
    if (!mayBeWiped) void this.#ask(holding, false)
    this.#goOn(holding)
  }

  /** Another list while one is held back. */
  #goOnWith(
    holding: Holding,
    list: InstanceList,
    { wasFailing, mayBeWiped }: { readonly wasFailing: boolean; readonly mayBeWiped: boolean },
  ): void {
    if (mayBeWiped) {
      holding.mayBeWiped = true
      // What was asked of the registry as it was before does not count.
      holding.reading?.abort()
    }
    if (!this.#isDoubtful(list.instances, holding.mayBeWiped)) {
      this.#accept(list)
      return
    }
    holding.doubted = list
    if (wasFailing) this.#goOn(holding)
  }

  /** The loss is there, and the source can be read. */
  #goOn(holding: Holding): void {
    holding.countdown.run()
    const [lost, known] = [this.#lostIn(holding.doubted.instances), this.#known.length]
    const message = `${this.#source.label}: ${lost} of ${known} instances are gone at once; they are kept until that is certain`
    this.#observer.onDoubt(new ProconsulError('PROCONSUL_UNAVAILABLE', message))
  }

  /** Asks whether the loss is true, at once or when the time is over. What fails here is reported by the source itself. */
  async #ask(holding: Holding, isOver: boolean): Promise<void> {
    holding.reading?.abort()
    if (this.#source.confirm === undefined) {
      if (isOver) this.#accept(holding.doubted)
      return
    }
    const reading = new AbortController()
    holding.reading = reading
    const instances = await this.#source.confirm(reading.signal).catch(() => undefined)
    if (reading.signal.aborted) return
    if (instances !== undefined && this.#isDoubtful(instances, holding.mayBeWiped)) this.#accept(holding.doubted)
    else if (isOver) this.#askedInVain(holding)
  }

  #askedInVain(holding: Holding): void {
    holding.inVain += 1
    if (holding.inVain < MOST_HOLDS) holding.countdown.restart()
    else this.#accept(holding.doubted)
  }

  #accept(list: InstanceList): void {
    this.#release({ type: 'open' })
    this.#accepted = list
    this.#observer.onValue(list)
  }

  #release(next: State): void {
    if (this.#state.type === 'holding') standStill(this.#state)
    this.#state = next
  }
}

/** Neither time nor an answer from now on counts. */
function standStill({ countdown, reading }: Holding): void {
  countdown.stop()
  reading?.abort()
}

function hidden({ label }: InstanceSource): ProconsulError {
  const message = `${label}: the credentials do not show the instances any more; the last list is kept; check the ACL token and its policies`
  return new ProconsulError('PROCONSUL_PERMISSION_DENIED', message)
}
