import { diffLists, type ItemShape, type ListDiff } from '../core/keyed-list.js'
import type { LiveState } from '../live/live-state.js'
import { LiveView, type LiveEvents, type LiveParts } from '../live/live-view.js'
import type { EmptyReason, ListFacts } from './instance-source.js'

/** What is known of a list at one moment. Frozen. */
export interface SnapshotFacts {
  /** What the registry calls this state of the list: of Consul the Raft index. Undefined before the first answer, and where there is none. */
  readonly revision: string | undefined
  /** When the registry last confirmed the list, in milliseconds since the epoch; undefined before the first answer. */
  readonly receivedAt: number | undefined
  /** Whether the list cannot be read at present, or is in doubt: it is the last good one, or none yet. */
  readonly stale: boolean
  /** Why the list is empty. */
  readonly emptyReason?: EmptyReason
}

/** What changed. Replaying `added`, `removed` and `updated` onto the snapshot before gives this one. */
export interface ListChange<Item, Snapshot> extends ListDiff<Item> {
  readonly snapshot: Snapshot
  readonly previous: Snapshot
}

/**
 * Events of a watcher, as {@link LiveEvents} has them. The first `change` has everything in `added`; it fires for an empty list as well.
 */
export type ListWatcherEvents<Item, Snapshot> = LiveEvents<ListChange<Item, Snapshot>>

/** What tells items apart, where they are, and how a snapshot is made of them. */
export interface WatcherShape<Fact extends ListFacts, Item, Snapshot> extends ItemShape<Item> {
  itemsOf(fact: Fact): readonly Item[]
  snapshot(items: readonly Item[], facts: SnapshotFacts): Snapshot
}

/** A list that follows a source. Keeps the process running until it is closed. */
export class ListWatcher<Fact extends ListFacts, Item, Snapshot extends SnapshotFacts> extends LiveView<
  Fact,
  Snapshot,
  ListChange<Item, Snapshot>
> {
  readonly #shape: WatcherShape<Fact, Item, Snapshot>
  /** The snapshot of a state, so that it is the same object as long as the state is. */
  #made: { readonly of: LiveState<Fact>; readonly snapshot: Snapshot } | undefined

  constructor(shape: WatcherShape<Fact, Item, Snapshot>, parts: LiveParts<Fact>) {
    super(parts)
    this.#shape = shape
  }

  /** What is known now. Before the first answer: an empty, stale one. The same object as long as nothing in it changed. */
  get snapshot(): Snapshot {
    return this.#snapshotOf(this.state)
  }

  protected override present(): Snapshot {
    return this.snapshot
  }

  protected override changeOf(
    next: Fact,
    last: Fact | undefined,
    before: LiveState<Fact>,
  ): ListChange<Item, Snapshot> | undefined {
    const [items, known] = [this.#shape.itemsOf(next), last === undefined ? [] : this.#shape.itemsOf(last)]
    const isSameReason = last !== undefined && next.emptyReason === last.emptyReason
    // As long as a source reads the same again: no look at the items.
    if (isSameReason && items === known) return undefined
    const diff = diffLists(known, items, this.#shape)
    const isSame = diff.added.length + diff.removed.length + diff.updated.length === 0
    if (isSameReason && isSame && this.#isInOrder(next, known)) return undefined
    const previous = this.#snapshotOf(before)
    return Object.freeze({ ...diff, snapshot: this.snapshot, previous })
  }

  /** Whether the order says nothing new. */
  #isInOrder(next: Fact, known: readonly Item[]): boolean {
    if (next.isOrdered !== true) return true
    const keys = known.map((item) => this.#shape.key(item))
    return this.#shape.itemsOf(next).every((item, place) => this.#shape.key(item) === keys[place])
  }

  #snapshotOf(state: LiveState<Fact>): Snapshot {
    if (this.#made?.of !== state) this.#made = { of: state, snapshot: this.#make(state) }
    return this.#made.snapshot
  }

  #make(state: LiveState<Fact>): Snapshot {
    const fact = state.type === 'starting' ? undefined : state.fact
    const hasNoLeader = state.type === 'starting' && state.failure?.code === 'PROCONSUL_NO_LEADER'
    const emptyReason = fact?.emptyReason ?? (hasNoLeader ? 'no-leader' : undefined)
    return this.#shape.snapshot(fact === undefined ? Object.freeze([]) : this.#shape.itemsOf(fact), {
      revision: fact?.revision,
      receivedAt: fact?.confirmedAt,
      stale: state.type !== 'fresh',
      ...(emptyReason !== undefined && { emptyReason }),
    })
  }
}
