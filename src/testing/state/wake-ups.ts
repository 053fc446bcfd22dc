/**
 * Who is waiting for what. A blocking query names the topics it read; a committed transaction touches topics and wakes the queries.
 * Being woken is no proof of a change: the query reads again and compares indexes, as Consul does.
 */

/** Something that a query can wait for: a table, one service, one key, or a neighbourhood of names. */
export type Topic = string

/** The topics, so that writers and readers spell them alike. */
export const topics = {
  nodes: 'nodes',
  node: (name: string): Topic => `node=${name}`,
  services: 'services',
  servicesOfNode: (node: string): Topic => `services@${node}`,
  serviceIndex: (service: string): Topic => `service-index=${service}`,
  checks: 'checks',
  checksOfNode: (node: string): Topic => `checks@${node}`,
  checksOfService: (service: string): Topic => `checks-of=${service}`,
  checksInState: (status: string): Topic => `checks-in=${status}`,
  key: (key: string): Topic => `kv=${key}`,
  sessions: 'sessions',
  session: (id: string): Topic => `session=${id}`,
  queries: 'queries',
  events: 'events',
  localService: (agent: string, id: string): Topic => `local=${agent}/${id}`,
  /** Every name below a prefix. Consul's radix trees wake whoever waits in the neighbourhood of a change. */
  below: (space: 'kv' | 'service', prefix: string): Topic => `${space}^${prefix}`,
} as const

/** The waiting queries by topic. */
export class WakeUps {
  readonly #waiting = new Map<Topic, Set<() => void>>()

  /** Calls `wake` at the next touch of any of the topics, until the returned function is called. */
  watch(interests: readonly Topic[], wake: () => void): () => void {
    for (const topic of interests) {
      const wakers = this.#waiting.get(topic) ?? new Set()
      this.#waiting.set(topic, wakers.add(wake))
    }
    return () => {
      for (const topic of interests) {
        const wakers = this.#waiting.get(topic)
        wakers?.delete(wake)
        if (wakers?.size === 0) this.#waiting.delete(topic)
      }
    }
  }

  /** Wakes whoever waits for one of the topics, each once. */
  touch(touched: Iterable<Topic>): void {
    if (this.#waiting.size === 0) return
    const wakers = new Set<() => void>()
    for (const topic of touched) for (const wake of this.#waiting.get(topic) ?? []) wakers.add(wake)
    for (const wake of wakers) wake()
  }

  /** Wakes everyone. */
  touchAll(): void {
    this.touch([...this.#waiting.keys()])
  }

  /** How many topics have someone waiting. */
  get size(): number {
    return this.#waiting.size
  }
}
