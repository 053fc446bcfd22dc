import type { Timer } from '../../core/clock.js'
import type { Runtime } from '../../core/runtime.js'
import type { ProconsulError } from '../../errors/proconsul-error.js'
import type { ResolvedFailover } from '../service-query.js'
import type { ListHold, ListObserver, ListSnapshot, ListSource } from './list-source.js'

/**
 * The first of several sources that can serve. The next is used once the one in use has had too few for a while, or could not be read
 * for a longer while although its last list had enough; a preferred one again only after it has been able for a while, so that one that
 * flaps does not drag the callers to and fro.
 */
export function failover<Item>(
  sources: readonly ListSource<Item>[],
  runtime: Runtime,
  options: ResolvedFailover,
): ListSource<Item> {
  return {
    subscribe(observer) {
      const choice = new Failover(observer, runtime, options, sources.length)
      return choice.over(sources.map((source, index) => source.subscribe(choice.candidate(index))))
    },
  }
}

/** Able to serve; not able, with too few; or not to be read at present while its last list had enough. */
type Standing = 'able' | 'unable' | 'unreadable'

interface Candidate<Item> {
  snapshot: ListSnapshot<Item> | undefined
  failure: ProconsulError | undefined
  /** How it stands, and since when on the monotonic clock. Undefined before it was heard of. */
  standing: { readonly is: Standing; readonly since: number } | undefined
}

class Failover<Item> {
  readonly #observer: ListObserver<Item>
  readonly #runtime: Runtime
  readonly #options: ResolvedFailover
  readonly #candidates: readonly Candidate<Item>[]
  #holds: readonly ListHold[] = []
  #active = 0
  #told: ListSnapshot<Item> | undefined
  #timer: Timer | undefined
  #pausedAt: number | undefined
  #closed = false

  constructor(observer: ListObserver<Item>, runtime: Runtime, options: ResolvedFailover, count: number) {
    this.#observer = observer
    this.#runtime = runtime
    this.#options = options
    this.#candidates = Array.from({ length: count }, () => ({
      snapshot: undefined,
      failure: undefined,
      standing: undefined,
    }))
  }

  over(holds: readonly ListHold[]): ListHold {
    this.#holds = holds
    const confirmedAt = (): number | undefined => this.#holds[this.#active]?.confirmedAt
    return {
      get confirmedAt() {
        return confirmedAt()
      },
      pause: () => {
        this.#pause()
        holds.forEach((hold) => hold.pause())
      },
      resume: () => {
        this.#resume()
        holds.forEach((hold) => hold.resume())
      },
      refresh: () => holds.forEach((hold) => hold.refresh()),
      close: async () => {
        this.#closed = true
        this.#timer?.cancel()
        await Promise.all(holds.map((hold) => hold.close()))
      },
    }
  }

  /** What hears of one source. */
  candidate(index: number): ListObserver<Item> {
    return {
      onValue: (snapshot) => this.#heard(index, { snapshot, failure: undefined }),
      onFailure: (failure) => this.#heard(index, { failure }),
      onRecovery: () => this.#heard(index, { failure: undefined }),
      onDoubt: () => {
        if (index === this.#active) this.#observer.onDoubt()
      },
      onSaved: (items, savedAt) => this.#observer.onSaved(items, savedAt),
      onProblem: (error) => this.#observer.onProblem(error),
    }
  }

  #heard(index: number, news: Partial<Candidate<Item>>): void {
    const candidate = this.#candidates[index]
    if (candidate === undefined || this.#closed) return
    const failedBefore = candidate.failure
    Object.assign(candidate, news)
    const is = this.#standing(candidate)
    if (candidate.standing?.is !== is) candidate.standing = { is, since: this.#runtime.clock.monotonic() }
    this.#choose()
    if (index === this.#active) this.#tell(candidate, failedBefore)
  }

  #standing({ snapshot, failure }: Candidate<Item>): Standing {
    const count = snapshot?.value.items.length ?? 0
    if (count < this.#options.minInstances) return 'unable'
    return failure === undefined ? 'able' : 'unreadable'
  }

  #pause(): void {
    this.#timer?.cancel()
    this.#pausedAt ??= this.#runtime.clock.monotonic()
  }

  /** Goes on as if the time of the pause had not been. */
  #resume(): void {
    if (this.#pausedAt === undefined || this.#closed) return
    const pausedMs = this.#runtime.clock.monotonic() - this.#pausedAt
    this.#pausedAt = undefined
    for (const candidate of this.#candidates) {
      const { standing } = candidate
      if (standing !== undefined) candidate.standing = { is: standing.is, since: standing.since + pausedMs }
    }
    this.#choose()
  }

  /** Switches when it is time to, and looks again when it may be. */
  #choose(): void {
    this.#timer?.cancel()
    this.#timer = undefined
    const now = this.#runtime.clock.monotonic()
    const due = this.#candidates.map((candidate, index) => this.#dueAt(candidate, index))
    const chosen = due.findIndex((at) => at <= now)
    if (chosen >= 0 && chosen !== this.#active) {
      this.#active = chosen
      const candidate = this.#candidates[chosen]
      if (candidate !== undefined) this.#tell(candidate, undefined)
    }
    const next = Math.min(...due.filter((at) => at > now))
    if (Number.isFinite(next)) this.#timer = this.#runtime.clock.setTimer(() => this.#choose(), next - now)
  }

  /** From when on the candidate may be the one in use; never while it cannot serve. */
  #dueAt({ standing }: Candidate<Item>, index: number): number {
    if (standing?.is !== 'able') return Infinity
    if (index === this.#active) return standing.since
    const leaveAt = this.#leaveAt()
    return index < this.#active ? Math.min(leaveAt, standing.since + this.#options.backAfterMs) : leaveAt
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

  #tell(candidate: Candidate<Item>, failedBefore: ProconsulError | undefined): void {
    const { snapshot, failure } = candidate
    if (failure !== undefined) {
      this.#observer.onFailure(failure)
    } else if (snapshot !== undefined) {
      if (failedBefore !== undefined) this.#observer.onRecovery(snapshot)
      if (snapshot !== this.#told) this.#observer.onValue(snapshot)
      this.#told = snapshot
    }
  }
}
