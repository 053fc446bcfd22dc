import { topics, type Topic } from './wake-ups.js'

/** One entry of the replicated log being applied: its index, how to undo it, and whom it wakes. */
export class Transaction {
  /** The index of this entry in the log; what it writes carries it. */
  readonly index: number
  readonly touched = new Set<Topic>()
  readonly #undo: (() => void)[] = []

  constructor(index: number) {
    this.index = index
  }

  /** Remembers how to take back a step. */
  onRollback(step: () => void): void {
    this.#undo.push(step)
  }

  /** Marks topics as changed. */
  touch(...changed: readonly Topic[]): void {
    for (const topic of changed) this.touched.add(topic)
  }

  /** Marks a name and every neighbourhood that it lies in as changed. */
  touchName(space: 'kv' | 'service', name: string): void {
    for (let length = 0; length <= name.length; length++) this.touched.add(topics.below(space, name.slice(0, length)))
  }

  /** Takes back all steps, last first. */
  rollback(): void {
    for (const step of this.#undo.splice(0).reverse()) step()
    this.touched.clear()
  }
}
