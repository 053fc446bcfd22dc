import { outOfContext } from '../../core/async-context.js'
import type { Timer } from '../../core/clock.js'
import type { Runtime } from '../../core/runtime.js'
import { SERVING, type Member } from '../members/member.js'
import { SUCCESS_RATE, type ResolvedOutliers } from './outlier-options.js'

/** Why an instance was ejected. */
export type EjectionReason =
  /** So many calls failed one after the other. */
  | 'consecutive-failures'
  /** So many calls one after the other found no connection, or lost it. */
  | 'connection-failures'
  /** Far more of its calls fail than of the others'. */
  | 'success-rate'
  /** The call that was to show whether it is well again failed. */
  | 'probe-failed'

/** What the pool hears. */
export interface OutlierHost {
  /** The members among which outliers are looked for. */
  members(): readonly Member[]
  /** Whether ejected members are called as well, for want of others. */
  isPanic(): boolean
  onEjected(member: Member, reason: EjectionReason, forMs: number): void
  /** Its time is over: it may be tried. */
  onDue(member: Member): void
  onReturned(member: Member, ejectedForMs: number): void
}

/** Ejects members whose calls fail, for a growing time and up to a share of all, and takes them back when a call to them goes well. */
export class Outliers {
  readonly #runtime: Pick<Runtime, 'clock'>
  readonly #options: ResolvedOutliers
  readonly #host: OutlierHost
  readonly #timers = new Map<Member, Timer>()
  /** When each was taken back, on the monotonic clock. */
  readonly #returnedAt = new WeakMap<Member, number>()
  #interval: Timer | undefined
  /** Calls and failures of each as they were when the interval began. */
  #marks = new Map<Member, { readonly calls: number; readonly failures: number }>()

  constructor(runtime: Pick<Runtime, 'clock'>, options: ResolvedOutliers, host: OutlierHost) {
    this.#runtime = runtime
    this.#options = options
    this.#host = host
  }

  /** A call to the member failed. */
  failed(member: Member): void {
    this.#beginInterval()
    if (member.standing.type === 'probing') this.#eject(member, 'probe-failed')
    else if (member.standing.type === 'serving') {
      const reason = this.#reasonToEject(member)
      if (reason !== undefined && this.#mayEject()) this.#eject(member, reason)
    }
  }

  /** A call is made that is to show whether the member is well. If it does not end, another is made after a while. */
  probed(member: Member): void {
    this.#setTimer(member, this.#options.ejectionTimeMs)
  }

  /** A call to a member that does not simply serve went well. */
  succeeded(member: Member): void {
    // One that is ejected may have calls under way that began before; but in a panic what comes back shows that it is well.
    if (member.standing.type === 'probing' || this.#host.isPanic()) this.#takeBack(member)
  }

  /** Takes back whoever exceeds the share that may be ejected, those first that were ejected first: members have left. */
  trim(): void {
    const members = this.#host.members()
    const out = members.filter(({ standing }) => standing !== SERVING)
    const surplus = out.length - this.#most(members.length)
    if (surplus <= 0) return
    const since = ({ standing }: Member): number => (standing.type === 'serving' ? 0 : standing.since)
    for (const member of out.toSorted((a, b) => since(a) - since(b)).slice(0, surplus)) this.#takeBack(member)
  }

  /** The member has left. */
  forget(member: Member): void {
    this.#timers.get(member)?.cancel()
    this.#timers.delete(member)
    this.#marks.delete(member)
  }

  close(): void {
    for (const timer of this.#timers.values()) timer.cancel()
    this.#timers.clear()
    this.#interval?.cancel()
    this.#marks.clear()
  }

  #reasonToEject({ consecutiveFailures, connectionFailures }: Member): EjectionReason | undefined {
    if (connectionFailures >= this.#options.connectionFailures) return 'connection-failures'
    return consecutiveFailures >= this.#options.consecutiveFailures ? 'consecutive-failures' : undefined
  }

  #mayEject(): boolean {
    const members = this.#host.members()
    const out = members.filter(({ standing }) => standing !== SERVING).length
    return out < this.#most(members.length)
  }

  /** How many may be out at once: one at least, where there is another. */
  #most(size: number): number {
    const { maxEjectedShare } = this.#options
    if (maxEjectedShare === 0 || size < 2) return 0
    return Math.max(1, Math.floor(maxEjectedShare * size))
  }

  #eject(member: Member, reason: EjectionReason): void {
    const { clock } = this.#runtime
    const { ejectionTimeMs, maxEjectionTimeMs, intervalMs } = this.#options
    const returnedAt = this.#returnedAt.get(member)
    const wellForMs = returnedAt === undefined ? 0 : clock.monotonic() - returnedAt
    this.#returnedAt.delete(member)
    // As in Envoy, each interval in which it was well takes one back.
    member.ejections = Math.max(0, member.ejections - Math.floor(wellForMs / intervalMs)) + 1
    const forMs = Math.min(maxEjectionTimeMs, ejectionTimeMs * member.ejections)
    const since = member.standing.type === 'serving' ? clock.now() : member.standing.since
    member.standing = { type: 'ejected', since, until: clock.now() + forMs }
    this.#setTimer(member, forMs)
    this.#host.onEjected(member, reason, forMs)
  }

  #setTimer(member: Member, delayMs: number): void {
    this.#timers.get(member)?.cancel()
    const { clock } = this.#runtime
    const due = (): void => this.#due(member)
    this.#timers.set(
      member,
      outOfContext(() => clock.setTimer(due, delayMs, { keepAlive: false })),
    )
  }

  #due(member: Member): void {
    this.#timers.delete(member)
    if (member.standing.type === 'serving') return
    member.standing = { type: 'probing', since: member.standing.since }
    this.#host.onDue(member)
  }

  #takeBack(member: Member): void {
    const { standing } = member
    if (standing.type === 'serving') return
    const { clock } = this.#runtime
    this.#timers.get(member)?.cancel()
    this.#timers.delete(member)
    this.#returnedAt.set(member, clock.monotonic())
    member.standing = SERVING
    member.consecutiveFailures = 0
    member.connectionFailures = 0
    member.forgetLatency()
    this.#host.onReturned(member, Math.max(0, clock.now() - standing.since))
  }

  /** Success rates are compared only where something fails: without failures there is no timer. */
  #beginInterval(): void {
    if (this.#interval !== undefined) return
    const marks = this.#host
      .members()
      .map((member) => [member, { calls: member.calls, failures: member.failures }] as const)
    this.#marks = new Map(marks)
    const { intervalMs } = this.#options
    const { clock } = this.#runtime
    const compare = (): void => this.#compare()
    this.#interval = outOfContext(() => clock.setTimer(compare, intervalMs, { keepAlive: false }))
  }

  #compare(): void {
    this.#interval = undefined
    const rates = new Map<Member, number>()
    for (const member of this.#host.members()) {
      const mark = this.#marks.get(member)
      const calls = member.calls - (mark?.calls ?? 0)
      const failures = member.failures - (mark?.failures ?? 0)
      if (member.standing === SERVING && calls >= SUCCESS_RATE.leastCalls) rates.set(member, 1 - failures / calls)
    }
    this.#marks.clear()
    if (rates.size < SUCCESS_RATE.leastInstances) return
    const least = threshold([...rates.values()])
    for (const [member, rate] of rates) if (rate < least && this.#mayEject()) this.#eject(member, 'success-rate')
  }
}

/** Below it a success rate is an outlier. */
function threshold(rates: readonly number[]): number {
  const mean = rates.reduce((sum, rate) => sum + rate, 0) / rates.length
  const variance = rates.reduce((sum, rate) => sum + (rate - mean) ** 2, 0) / rates.length
  return mean - SUCCESS_RATE.deviations * Math.sqrt(variance)
}
