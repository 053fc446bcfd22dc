import { takeOver, type TakeOverParts } from './take-over.js'

/**
 * Checks at the agent that are to be ended before the next write. An agent to which another kind of check is registered under an id goes
 * on with the old one beside it, and the two report in turn: only a deregistration ends both.
 */
export class Debris {
  readonly #serviceId: string
  readonly #parts: TakeOverParts
  /** Seen at the last look: checks of another kind, or of an earlier run. */
  #seen: readonly string[] = []
  /** What an update replaced. The agent may carry it on without showing it, so no look forgets it. */
  readonly #superseded = new Set<string>()

  constructor(serviceId: string, parts: TakeOverParts) {
    this.#serviceId = serviceId
    this.#parts = parts
  }

  /** Whether a look has found any. */
  get wasSeen(): boolean {
    return this.#seen.length > 0
  }

  /** What an update replaced and is there still, in the words of `repaired`. */
  get drift(): readonly string[] {
    return [...this.#superseded].map((id) => `check ${id}`)
  }

  /** A look found these, and no others. */
  see(ids: readonly string[]): void {
    this.#seen = ids
  }

  /** An update replaces these. */
  supersede(ids: readonly string[]): void {
    for (const id of ids) this.#superseded.add(id)
  }

  /** Ends them all. */
  async end(signal: AbortSignal): Promise<void> {
    const ids = [...new Set([...this.#seen, ...this.#superseded])]
    await takeOver(this.#parts, this.#serviceId, ids, signal)
    await Promise.all(ids.map((id) => this.#parts.checks.deregister(id, { signal })))
    this.#seen = []
    this.#superseded.clear()
  }
}
