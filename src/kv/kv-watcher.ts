import { LiveView, type LiveParts } from '../live/live-view.js'
import { factOf } from '../live/live-state.js'
import type { Watched } from '../watch/query-source.js'

/** What changed. */
export interface KvChange<Value> {
  readonly value: Value
  /** Undefined for the first value. */
  readonly previous: Value | undefined
}

/** A key or a tree that follows Consul. Keeps the process running until it is closed. */
export class KvWatcher<Value> extends LiveView<Watched<Value>, Value, KvChange<Value>> {
  readonly #absent: Value

  /** @param absent what the value is as long as nothing was read */
  constructor(absent: Value, parts: LiveParts<Watched<Value>>) {
    super(parts)
    this.#absent = absent
  }

  /** The last value: undefined, or the empty list, before the first answer and for what does not exist. */
  get value(): Value {
    const fact = factOf(this.state)
    return fact === undefined ? this.#absent : fact.value
  }

  /** The Raft index of the read that brought the value; undefined before the first answer. */
  get index(): number | undefined {
    return factOf(this.state)?.index
  }

  protected override present(): Value {
    return this.value
  }

  protected override changeOf(next: Watched<Value>, previous: Watched<Value> | undefined): KvChange<Value> | undefined {
    if (previous !== undefined && previous.value === next.value) return undefined
    return { value: next.value, previous: previous?.value }
  }
}
