/** What the agents of one datacenter share: the replicated state, ACLs, events, and whether there is a leader. */
import type { Clock, Timer } from '../../core/clock.js'
import { AclSystem, type AclOptions } from '../acl/acl-system.js'
import { StateStore } from '../state/state-store.js'
import { SessionTimers } from './session-timers.js'
import { UserEvents } from './user-events.js'

/** The tombstones of deleted keys are forgotten after this long. */
const TOMBSTONE_AGE_MS = 15 * 60_000
/** How often they are looked through. */
const TOMBSTONE_SWEEP_MS = 30_000

/** One agent, as its cluster sees it. */
export interface ClusterMember {
  readonly nodeName: string
  /** There is a leader again: send what waited for one. */
  leaderElected(): void
  /** The replicated state was emptied: enter oneself again. */
  stateCleared(): void
}

/** An embedded agent, for another that joins its cluster. */
export interface JoinableAgent {
  /** @internal */
  readonly cluster: Cluster
}

/** What the agents of one datacenter share. */
export class Cluster {
  readonly datacenter: string
  readonly clock: Clock
  readonly store: StateStore
  readonly acl: AclSystem
  readonly sessionTimers: SessionTimers
  readonly events: UserEvents
  readonly #members = new Set<ClusterMember>()
  readonly #leaderless = new Set<object>()
  #lostLeaderAtMs = 0
  #sweep: Timer | undefined

  constructor(datacenter: string, clock: Clock, acl: AclOptions | undefined) {
    this.datacenter = datacenter
    this.clock = clock
    this.store = new StateStore(() => clock.monotonic())
    this.acl = new AclSystem(acl, () => clock.now())
    this.sessionTimers = new SessionTimers(clock, this.store)
    this.events = new UserEvents(() => this.store.wakeUps)
  }

  get hasLeader(): boolean {
    return this.#leaderless.size === 0
  }

  /** For how long there has been no leader. */
  get leaderlessForMs(): number {
    return this.hasLeader ? 0 : this.clock.monotonic() - this.#lostLeaderAtMs
  }

  /** Takes the leader away until the returned function is called. */
  loseLeader(): () => void {
    const cause = {}
    if (this.hasLeader) this.#lostLeaderAtMs = this.clock.monotonic()
    this.#leaderless.add(cause)
    this.sessionTimers.stop()
    return () => {
      if (!this.#leaderless.delete(cause) || !this.hasLeader) return
      this.sessionTimers.restart()
      for (const member of this.#members) member.leaderElected()
    }
  }

  members(): readonly ClusterMember[] {
    return [...this.#members]
  }

  join(member: ClusterMember): void {
    this.#members.add(member)
    if (this.#sweep === undefined) this.#scheduleSweep()
  }

  /** An agent ended; the last one takes the timers with it. */
  leave(member: ClusterMember): void {
    this.#members.delete(member)
    if (this.#members.size > 0) return
    this.#sweep?.cancel()
    this.#sweep = undefined
    this.sessionTimers.stop()
  }

  /** Empties the replicated state, and lets every agent enter itself again. */
  clear(options: { readonly restartIndex: boolean }): void {
    this.sessionTimers.stop()
    this.store.clear(options)
    this.events.clear()
    this.acl.reset()
    for (const member of this.#members) member.stateCleared()
  }

  #scheduleSweep(): void {
    this.#sweep = this.clock.setTimer(
      () => {
        if (this.store.kv.hasTombstones) this.store.apply((tx) => this.store.kv.reapTombstones(tx, TOMBSTONE_AGE_MS))
        this.#scheduleSweep()
      },
      TOMBSTONE_SWEEP_MS,
      { keepAlive: false },
    )
  }
}
