import type { UserEvent } from '../api/event.js'
import type { CheckEntry, NodeEntry } from '../api/health-entry.js'
import { sameMap, sameSet } from '../core/equal.js'
import type { ItemShape } from '../core/keyed-list.js'
import type { ItemList } from '../instances/instance-source.js'
import { ListWatcher, type SnapshotFacts } from '../instances/list-watcher.js'
import type { LiveParts } from '../live/live-view.js'

/** A service name with all tags in use. */
export interface ServiceName {
  readonly name: string
  /** Sorted. */
  readonly tags: readonly string[]
}

/** The services of the catalog at one moment. Frozen. */
export interface ServicesSnapshot extends SnapshotFacts {
  readonly services: readonly ServiceName[]
}

/** The names and tags of all services. From `consul.watchServices`. */
export class ServicesWatcher extends ListWatcher<ItemList<ServiceName>, ServiceName, ServicesSnapshot> {
  constructor(parts: LiveParts<ItemList<ServiceName>>) {
    super({ ...SERVICE_NAME, itemsOf, snapshot: (services, facts) => Object.freeze({ services, ...facts }) }, parts)
  }

  /** The services now, sorted by name; the tags of each are sorted as well. */
  get services(): readonly ServiceName[] {
    return this.snapshot.services
  }
}

/** The nodes at one moment. Frozen. */
export interface NodesSnapshot extends SnapshotFacts {
  readonly nodes: readonly NodeEntry[]
}

/** All nodes of the catalog. From `consul.watchNodes`. */
export class NodesWatcher extends ListWatcher<ItemList<NodeEntry>, NodeEntry, NodesSnapshot> {
  constructor(parts: LiveParts<ItemList<NodeEntry>>) {
    super({ ...NODE, itemsOf, snapshot: (nodes, facts) => Object.freeze({ nodes, ...facts }) }, parts)
  }

  /** The nodes now. */
  get nodes(): readonly NodeEntry[] {
    return this.snapshot.nodes
  }
}

/** Checks at one moment. Frozen. */
export interface ChecksSnapshot extends SnapshotFacts {
  readonly checks: readonly CheckEntry[]
}

/** All checks in a state. From `consul.watchChecks`. */
export class ChecksWatcher extends ListWatcher<ItemList<CheckEntry>, CheckEntry, ChecksSnapshot> {
  constructor(parts: LiveParts<ItemList<CheckEntry>>) {
    super({ ...CHECK, itemsOf, snapshot: (checks, facts) => Object.freeze({ checks, ...facts }) }, parts)
  }

  /** The checks now. */
  get checks(): readonly CheckEntry[] {
    return this.snapshot.checks
  }
}

/** The last user events at one moment. Frozen. */
export interface EventsSnapshot extends SnapshotFacts {
  /** Oldest first; an agent keeps 256. */
  readonly events: readonly UserEvent[]
}

/** User events: `added` of a `change` are the new ones. From `consul.watchEvents`. */
export class EventsWatcher extends ListWatcher<ItemList<UserEvent>, UserEvent, EventsSnapshot> {
  constructor(parts: LiveParts<ItemList<UserEvent>>) {
    super({ ...USER_EVENT, itemsOf, snapshot: (events, facts) => Object.freeze({ events, ...facts }) }, parts)
  }

  /** The events now. */
  get events(): readonly UserEvent[] {
    return this.snapshot.events
  }
}

function itemsOf<Item>({ items }: ItemList<Item>): readonly Item[] {
  return items
}

/** Consul lists the tags of a service in another order at every read. */
export const SERVICE_NAME: ItemShape<ServiceName> = {
  key: (service) => service.name,
  same: (a, b) => a.name === b.name && sameSet(a.tags, b.tags),
}

export const NODE: ItemShape<NodeEntry> = {
  key: (node) => `${node.datacenter}\n${node.name}`,
  same: (a, b) =>
    a.id === b.id &&
    a.name === b.name &&
    a.datacenter === b.datacenter &&
    a.address === b.address &&
    sameMap(a.meta, b.meta) &&
    sameMap(a.taggedAddresses, b.taggedAddresses),
}

export const CHECK: ItemShape<CheckEntry> = {
  key: (check) => `${check.node}\n${check.id}`,
  same: (a, b) =>
    a.node === b.node &&
    a.id === b.id &&
    a.modifyIndex === b.modifyIndex &&
    a.status === b.status &&
    a.output === b.output &&
    a.createIndex === b.createIndex,
}

export const USER_EVENT: ItemShape<UserEvent> = {
  key: (event) => event.id,
  same: (a, b) => a.id === b.id,
}
