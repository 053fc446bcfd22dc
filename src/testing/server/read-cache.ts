import type { Clock } from '../../core/clock.js'
import type { Reply } from '../wire/reply.js'

interface Entry {
  reply: Reply
  refreshedAtMs: number
}

/** What `?cached` reads from: an agent's own copy of answers, kept fresh while there is a leader, and ageing while there is none. */
export class ReadCache {
  readonly #clock: Clock
  readonly #entries = new Map<string, Entry>()

  constructor(clock: Clock) {
    this.#clock = clock
  }

  /** The answer to a query, from the cache when it is there. `fresh` makes a new one, and is not asked without a leader. */
  async answer(key: string, hasLeader: boolean, fresh: () => Promise<Reply>): Promise<Reply> {
    const entry = this.#entries.get(key)
    if (entry === undefined) {
      const reply = await fresh()
      this.#entries.set(key, { reply, refreshedAtMs: this.#clock.monotonic() })
      return withHeaders(reply, { 'X-Cache': 'MISS' })
    }
    if (hasLeader) {
      entry.reply = await fresh()
      entry.refreshedAtMs = this.#clock.monotonic()
    }
    const ageSeconds = Math.floor((this.#clock.monotonic() - entry.refreshedAtMs) / 1000)
    return withHeaders(entry.reply, { 'X-Cache': 'HIT', Age: String(ageSeconds) })
  }
}

function withHeaders(reply: Reply, headers: Readonly<Record<string, string>>): Reply {
  return { ...reply, headers: { ...reply.headers, ...headers } }
}
