import type { CheckEntry, NodeEntry } from '../api/health-entry.js'
import type { UserEvent } from '../api/event.js'
import { ListWatcher, type SnapshotFacts, type WatcherParts } from './list-watcher.js'
import { sameList, sameMap } from './service-instance.js'

/** A service name with all tags in use. */
export interface ServiceName {
  readonly name: string
  readonly tags: readonly string[]
}

/** The services of the catalog at one moment. Frozen. */
export interface ServicesSnapshot extends SnapshotFacts {
  readonly services: readonly ServiceName[]
}

/** The names and tags of all services. From `consul.watchServices`. */
export class ServicesWatcher extends ListWatcher<ServiceName, ServicesSnapshot> {
  constructor(parts: WatcherParts<ServiceName>) {
    super(
      {
        label: 'the watch of the services',
        ...SERVICE_NAME,
        snapshot: (services, facts) => Object.freeze({ services, ...facts }),
      },
      parts,
    )
  }

  /** The services now, sorted by name. */
  get services(): readonly ServiceName[] {
    return this.snapshot.services
  }
}

/** The nodes at one moment. Frozen. */
export interface NodesSnapshot extends SnapshotFacts {
  readonly nodes: readonly NodeEntry[]
}

/** All nodes of the catalog. From `consul.watchNodes`. */
export class NodesWatcher extends ListWatcher<NodeEntry, NodesSnapshot> {
  constructor(parts: WatcherParts<NodeEntry>) {
    super(
      { label: 'the watch of the nodes', ...NODE, snapshot: (nodes, facts) => Object.freeze({ nodes, ...facts }) },
      parts,
    )
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
export class ChecksWatcher extends ListWatcher<CheckEntry, ChecksSnapshot> {
  constructor(parts: WatcherParts<CheckEntry>) {
    super(
      { label: 'the watch of checks', ...CHECK, snapshot: (checks, facts) => Object.freeze({ checks, ...facts }) },
      parts,
    )
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
export class EventsWatcher extends ListWatcher<UserEvent, EventsSnapshot> {
  constructor(parts: WatcherParts<UserEvent>) {
    super(
      { label: 'the watch of events', ...USER_EVENT, snapshot: (events, facts) => Object.freeze({ events, ...facts }) },
      parts,
    )
  }

  /** The events now. */
  get events(): readonly UserEvent[] {
    return this.snapshot.events
  }
}

export const SERVICE_NAME = {
  key: (service: ServiceName): string => service.name,
  same: (a: ServiceName, b: ServiceName): boolean => a.name === b.name && sameList(a.tags, b.tags),
}

export const NODE = {
  key: (node: NodeEntry): string => `${node.datacenter}\n${node.name}`,
  same: (a: NodeEntry, b: NodeEntry): boolean =>
    a.id === b.id &&
    a.name === b.name &&
    a.datacenter === b.datacenter &&
    a.address === b.address &&
    sameMap(a.meta, b.meta) &&
    sameMap(a.taggedAddresses, b.taggedAddresses),
}

export const CHECK = {
  key: (check: CheckEntry): string => `${check.node}\n${check.id}`,
  same: (a: CheckEntry, b: CheckEntry): boolean =>
    a.node === b.node &&
    a.id === b.id &&
    a.modifyIndex === b.modifyIndex &&
    a.status === b.status &&
    a.output === b.output &&
    a.createIndex === b.createIndex,
}

export const USER_EVENT = {
  key: (event: UserEvent): string => event.id,
  same: (a: UserEvent, b: UserEvent): boolean => a.id === b.id,
}
