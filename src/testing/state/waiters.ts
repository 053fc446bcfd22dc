/** How a waiting query is ended from outside. */
export type EndedWait = 'spurious' | 'failed' | 'stopped'

/** The blocking queries that an agent is holding. */
export class Waiters {
  readonly #ends = new Set<(outcome: EndedWait) => void>()
  #isClosed = false

  /** How many queries are waiting. */
  get size(): number {
    return this.#ends.size
  }

  get isClosed(): boolean {
    return this.#isClosed
  }

  /** Calls `end` when all waiting is to end; the returned function takes it back. */
  add(end: (outcome: EndedWait) => void): () => void {
    this.#ends.add(end)
    return () => this.#ends.delete(end)
  }

  /** Lets every query answer now, though nothing may have changed. */
  wakeAll(): void {
    for (const end of [...this.#ends]) end('spurious')
  }

  /** Fails every query of replicated state, as when the leader that answers them dies. */
  failAll(): void {
    for (const end of [...this.#ends]) end('failed')
  }

  /** Ends every query for good. */
  close(): void {
    this.#isClosed = true
    for (const end of [...this.#ends]) end('stopped')
  }
}
