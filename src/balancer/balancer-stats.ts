import type { ServiceInstance } from '../instances/service-instance.js'
import type { Member } from './members/member.js'
import type { Pool } from './pool/pool.js'

/** What is known of one instance, and of the calls to it, by all who share the pool. Frozen. */
export interface InstanceStats {
  readonly instance: ServiceInstance
  /** Calls under way. */
  readonly inFlight: number
  /** Calls that ended, since the instance came; not those that their callers gave up. */
  readonly calls: number
  /** Those of them that failed. */
  readonly failures: number
  /** Recent latency in milliseconds, in which peaks count more; undefined as long as nothing was measured. */
  readonly latencyMs: number | undefined
  /** Its share of the calls, compared with others. */
  readonly weight: number
  /**
   * `serving`; `ejected` until a moment; `probing`: the next call shows whether it is well again; `unused`: not in the subset that this
   * process calls, or of weight 0.
   */
  readonly state: 'serving' | 'ejected' | 'probing' | 'unused'
  /** Until when it is ejected, in milliseconds since the epoch. */
  readonly ejectedUntil: number | undefined
}

export function statsOf(pool: Pool): readonly InstanceStats[] {
  const active = new Set(pool.active)
  return Object.freeze(pool.members.map((member) => entryOf(member, active.has(member))))
}

function entryOf(member: Member, isActive: boolean): InstanceStats {
  const { instance, inFlight, calls, failures, lastLatencyMs, standing } = member
  return Object.freeze({
    instance,
    inFlight,
    calls,
    failures,
    latencyMs: lastLatencyMs,
    weight: instance.weight,
    state: isActive ? standing.type : 'unused',
    ejectedUntil: standing.type === 'ejected' ? standing.until : undefined,
  })
}
