import type { Confirmed, Hold, Observer } from '../live/live-source.js'
import type { ServiceInstance } from './service-instance.js'

/** Why a list is empty. */
export type EmptyReason =
  /** The service has no instance at all. */
  | 'not-registered'
  /** It has instances, and none has the health that is asked for: by default all are critical or in maintenance. */
  | 'none-passing'
  /** It has instances with that health, and none with these tags, this filter or this port. */
  | 'none-matching'
  /** The credentials do not show them. */
  | 'filtered-by-acl'
  /** The registry has no leader, and nothing was read yet. */
  | 'no-leader'

/** What is known of a list beside its items. */
export interface ListFacts extends Confirmed {
  /** What the registry calls this state of the list, such as an index of Raft. For people and logs. */
  readonly revision?: string | undefined
  /**
   * Whether the registry still has what it had when it gave the list before this one. `false`: it may have lost its state, or been
   * replaced by a backup; then nothing that is missing can be believed at once.
   */
  readonly isContinuous: boolean
  /** Whether the order means something. Default false. */
  readonly isOrdered?: boolean | undefined
  /** Why the list is empty, where that is known. */
  readonly emptyReason?: EmptyReason | undefined
}

/** The instances of a service as a source knows them. */
export interface InstanceList extends ListFacts {
  readonly instances: readonly ServiceInstance[]
}

/** The items of any other list. */
export interface ItemList<Item> extends ListFacts {
  readonly items: readonly Item[]
}

/**
 * Where instances come from: Consul, another registry, a file. Whoever follows it with `watchInstances` gets events, the last good list
 * through an outage, protection against a sudden loss, failover and a cache file, without a line of the source's own.
 */
export interface InstanceSource {
  /** What it is, for messages, such as `service "users"`. */
  readonly label: string
  /**
   * Begins to read, and calls the observer until the hold is closed: with the first list, each that differs, the first after a failure,
   * and any that was read again and is the same, which moves its age.
   */
  observe(observer: Observer<InstanceList>): Hold
  /** Reads the instances once, past every cache. With it a sudden loss that is true is shown at once, and not only after a while. */
  confirm?(signal: AbortSignal): Promise<readonly ServiceInstance[]>
}
