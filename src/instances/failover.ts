import type { Timer } from '../core/clock.js'
import type { Runtime } from '../core/runtime.js'
import type { ProconsulError } from '../errors/proconsul-error.js'
import { observerOver, type Hold, type Observer } from '../live/live-source.js'
import type { ResolvedFailover } from './guard-options.js'
import type { InstanceList, InstanceSource } from './instance-source.js'

/** What a failover works with. */
export interface FailoverParts {
  readonly runtime: Runtime
  readonly options: ResolvedFailover
  /** Called before the first list of the source that serves from now on is told. */
  readonly onServing?: ((source: InstanceSource) => void) | undefined
}

/**
 * The first of several sources that can serve. The next is used once the one in use has had too few for a while, or could not be read
 * for a longer while although its last list had enough; a preferred one again only after it has been able for a while, so that one that
 * flaps does not drag the callers to and fro.
 */
export function failover(sources: readonly InstanceSource[], parts: FailoverParts): InstanceSource {
  return {
    label: sources.map(({ label }) => label).join(', else '),
    observe(observer) {
      const choice = new Failover(observer, sources, parts)
      return choice.over(sources.map((source, place) => source.observe(choice.candidate(place))))
    },
  }
}

/** Able to serve; not able, with too few; or not to be read at present while its last list had enough. */
type Standing = 'able' | 'unable' | 'unreadable'

interface Candidate {
  readonly source: InstanceSource
  list: InstanceList | undefined
  failure: ProconsulError | undefined
  /** How it stands, and since when on the monotonic clock. Undefined before it was heard of. */
  standing: { readonly is: Standing; readonly since: number } | undefined
}

class Failover {
  readonly #observer: Observer<InstanceList>
  readonly #runtime: Runtime
  readonly #options: ResolvedFailover
  readonly #onServing: FailoverParts['onServing']
  readonly #candidates: readonly Candidate[]
  #active = 0
  #serving: Candidate | undefined
  #timer: Timer | undefined
  #pausedAt: number | undefined
  #isClosed = false

  constructor(observer: Observer<InstanceList>, sources: readonly InstanceSource[], parts: FailoverParts) {
    this.#observer = observer
    this.#runtime = parts.runtime
    this.#options = parts.options
    this.#onServing = parts.onServing
    this.#candidates = sources.map((source) => ({ source, list: undefined, failure: undefined, standing: undefined }))
  }

  over(holds: readonly Hold[]): Hold {
    return {
      pause: () => {
        this.#pause()
        holds.forEach((hold) => hold.pause?.())
      },
      resume: () => {
        this.#resume()
        holds.forEach((hold) => hold.resume?.())
      },
      refresh: () => holds.forEach((hold) => hold.refresh?.()),
      close: async () => {
        this.#isClosed = true
        this.#timer?.cancel()
        await Promise.all(holds.map(async (hold) => await hold.close()))
      },
    }
  }

  /** What hears of one source. */
  candidate(place: number): Observer<InstanceList> {
    return observerOver(this.#observer, {
      onValue: (list) => this.#heard(place, { list, failure: undefined }),
      onFailure: (failure) => this.#heard(place, { failure }),
      onDoubt: (error) => {
        if (place === this.#active) this.#observer.onDoubt(error)
      },
    })
  }

  #heard(place: number, news: Partial<Candidate>): void {
    const candidate = this.#candidates[place]
    if (candidate === undefined || this.#isClosed) return
    Object.assign(candidate, news)
    const is = this.#standing(candidate)
    if (candidate.standing?.is !== is) candidate.standing = { is, since: this.#runtime.clock.monotonic() }
    const hasSwitched = this.#choose()
    if (place === this.#active && !hasSwitched) this.#tell(candidate)
  }

  #standing({ list, failure }: Candidate): Standing {
    const count = list?.instances.length ?? 0
    if (count < this.#options.minInstances) return 'unable'
    return failure === undefined ? 'able' : 'unreadable'
  }

  #pause(): void {
    this.#timer?.cancel()
    this.#pausedAt ??= this.#runtime.clock.monotonic()
  }

  /** Goes on as if the time of the pause had not been. */
  #resume(): void {
    if (this.#pausedAt === undefined || this.#isClosed) return
    const pausedMs = this.#runtime.clock.monotonic() - this.#pausedAt
    this.#pausedAt = undefined
    for (const candidate of this.#candidates) {
      const { standing } = candidate
      if (standing !== undefined) candidate.standing = { is: standing.is, since: standing.since + pausedMs }
    }
    this.#choose()
  }

  /** Switches, and tells, when it is time to, and looks again when it may be. Whether it has switched. */
  #choose(): boolean {
    this.#timer?.cancel()
    this.#timer = undefined
    const now = this.#runtime.clock.monotonic()
    const due = this.#candidates.map((candidate, place) => this.#dueAt(candidate, place))
    const chosen = due.findIndex((at) => at <= now)
    const hasSwitched = chosen >= 0 && chosen !== this.#active
    const candidate = this.#candidates[chosen]
    if (hasSwitched) this.#active = chosen
    if (hasSwitched && candidate !== undefined) this.#tell(candidate)
    const next = Math.min(...due.filter((at) => at > now))
    if (Number.isFinite(next) && !this.#isClosed) {
      this.#timer = this.#runtime.clock.setTimer(() => void this.#choose(), next - now)
    }
    return hasSwitched
  }

  /** From when on the candidate may be the one in use; never while it cannot serve. */
  #dueAt({ standing }: Candidate, place: number): number {
    if (standing?.is !== 'able') return Infinity
    if (place === this.#active) return standing.since
    const leaveAt = this.#leaveAt()
    return place < this.#active ? Math.min(leaveAt, standing.since + this.#options.backAfterMs) : leaveAt
  }

  /** From when on another may step in for the one in use; never while that is able, or before it was heard of. */
  #leaveAt(): number {
    const standing = this.#candidates[this.#active]?.standing
    if (standing?.is === 'unable') return standing.since + this.#options.afterMs
    if (standing?.is === 'unreadable') {
      return Math.max(standing.since, this.#anyAbleSince()) + this.#options.unreadableAfterMs
    }
    return Infinity
  }

  /** As long as none can be read it is the agent that is out, and says nothing about a datacenter. */
  #anyAbleSince(): number {
    return Math.min(...this.#candidates.map(({ standing }) => (standing?.is === 'able' ? standing.since : Infinity)))
  }

  #tell(candidate: Candidate): void {
    const { list, failure, source } = candidate
    if (failure !== undefined) {
      this.#observer.onFailure(failure)
    } else if (list !== undefined) {
      if (candidate !== this.#serving) this.#onServing?.(source)
      this.#serving = candidate
      this.#observer.onValue(list)
    }
  }
}
