import type { LiveParts } from '../live/live-view.js'
import type { InstanceList } from './instance-source.js'
import { ListWatcher, type ListWatcherEvents, type SnapshotFacts } from './list-watcher.js'
import { INSTANCE, type ServiceInstance } from './service-instance.js'

/** The instances of a service at one moment. Frozen. */
export interface ServiceSnapshot extends SnapshotFacts {
  readonly instances: readonly ServiceInstance[]
}

/** Events of a {@link ServiceWatcher}. */
export type ServiceWatcherEvents = ListWatcherEvents<ServiceInstance, ServiceSnapshot>

/** The instances of a service, followed as they come, change and go. From `consul.watchService` and `watchInstances`. */
export class ServiceWatcher extends ListWatcher<InstanceList, ServiceInstance, ServiceSnapshot> {
  /** Name of the service, or the label of the source. */
  readonly name: string

  constructor(name: string, parts: LiveParts<InstanceList>) {
    const itemsOf = (list: InstanceList): readonly ServiceInstance[] => list.instances
    const snapshot = (instances: readonly ServiceInstance[], facts: SnapshotFacts): ServiceSnapshot =>
      Object.freeze({ instances, ...facts })
    super({ ...INSTANCE, itemsOf, snapshot }, parts)
    this.name = name
  }

  /** The instances now. Unchanged ones are the same objects from snapshot to snapshot. */
  get instances(): readonly ServiceInstance[] {
    return this.snapshot.instances
  }
}
