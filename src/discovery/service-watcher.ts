import { ListWatcher, type ListWatcherEvents, type SnapshotFacts, type WatcherParts } from './list-watcher.js'
import { instanceKey, sameInstance, type ServiceInstance } from './service-instance.js'

/** The instances of a service at one moment. Frozen. */
export interface ServiceSnapshot extends SnapshotFacts {
  readonly instances: readonly ServiceInstance[]
}

/** Events of a {@link ServiceWatcher}. */
export type ServiceWatcherEvents = ListWatcherEvents<ServiceInstance, ServiceSnapshot>

/** The instances of a service, followed as they come, change and go. From `consul.watchService`. */
export class ServiceWatcher extends ListWatcher<ServiceInstance, ServiceSnapshot> {
  /** Name of the service. */
  readonly name: string

  constructor(name: string, parts: WatcherParts<ServiceInstance>) {
    super(
      {
        label: `the watch of service "${name}"`,
        key: instanceKey,
        same: sameInstance,
        snapshot: (instances, facts) => Object.freeze({ instances, ...facts }),
      },
      parts,
    )
    this.name = name
  }

  /** The instances now. Unchanged ones are the same objects from snapshot to snapshot. */
  get instances(): readonly ServiceInstance[] {
    return this.snapshot.instances
  }
}
