import type { CheckEntry, ServiceRecord } from '../../../api/health-entry.js'
import { jitterMs } from '../../../core/backoff.js'
import type { Timer } from '../../../core/clock.js'
import type { ResolvedDefinition } from '../../definition/resolve-definition.js'
import type { RecordObserver, RecordVerdict } from '../record.js'
import type { ConsulParts } from './consul-parts.js'

/** A record that is compared. */
export interface Compared {
  readonly definition: ResolvedDefinition
  judge(record: ServiceRecord, checks: readonly CheckEntry[]): RecordVerdict
}

/** How often the agent is asked for what it has of us: two reads, whatever the number of records. */
const INTERVAL_MS = 5_000
/** Past a hundred records the answers are large: the interval grows with their number, up to this. */
const LONGEST_INTERVAL_MS = 30_000
const PER_RECORD_MS = 50
/** The same at first, and while the agent cannot be reached: what it lost is to be back soon after it answers. */
const SOON_MS = 1_000
/** The same after the connection to the agent broke, which is what a restart looks like. */
const HURRY_MS = 200
const JITTER = 0.1

/** Past so many records the agent is asked for all that it has instead of for these. */
const MOST_NAMED = 20

/**
 * Compares what the agent has with what was registered, for all records of a client at once: a service whose checks the agent carries out
 * sends no heartbeats that would notice a loss, and no heartbeat notices changed tags.
 */
export class Comparison {
  readonly #parts: Pick<ConsulParts, 'runtime' | 'services' | 'checks'>
  readonly #observers = new Map<Compared, RecordObserver>()
  /** The next look. */
  #next: { readonly timer: Timer; readonly dueMs: number } | undefined
  readonly #closed = new AbortController()

  constructor(parts: Pick<ConsulParts, 'runtime' | 'services' | 'checks'>) {
    this.#parts = parts
  }

  add(record: Compared, observer: RecordObserver): void {
    this.#observers.set(record, observer)
    this.#plan(SOON_MS)
  }

  remove(record: Compared): void {
    this.#observers.delete(record)
    if (this.#observers.size === 0) this.#unplan()
  }

  /** The agent may have restarted: looks soon, and until it answers. */
  hurry(): void {
    this.#plan(HURRY_MS)
  }

  close(): void {
    this.#closed.abort()
    this.#observers.clear()
    this.#unplan()
  }

  /** Plans a look, unless an earlier one is planned: nothing that goes on happening may put it off. */
  #plan(delayMs: number): void {
    if (this.#closed.signal.aborted || this.#observers.size === 0) return
    const { clock, random } = this.#parts.runtime
    const inMs = jitterMs(delayMs, JITTER, random)
    const dueMs = clock.monotonic() + inMs
    if (this.#next !== undefined && this.#next.dueMs <= dueMs) return
    this.#unplan()
    this.#next = { dueMs, timer: clock.setTimer(() => void this.#look(), inMs, { keepAlive: false }) }
  }

  #unplan(): void {
    this.#next?.timer.cancel()
    this.#next = undefined
  }

  async #look(): Promise<void> {
    this.#next = undefined
    const intervalMs = Math.max(INTERVAL_MS, this.#observers.size * PER_RECORD_MS)
    let nextMs = Math.min(LONGEST_INTERVAL_MS, intervalMs)
    try {
      await this.#compare()
    } catch (error) {
      nextMs = SOON_MS
      if (!this.#closed.signal.aborted)
        this.#parts.runtime.logger.debug({ err: error }, 'the agent could not be compared')
    }
    this.#plan(nextMs)
  }

  async #compare(): Promise<void> {
    const ids = [...this.#observers.keys()].map(({ definition }) => definition.service.id)
    const { signal } = this.#closed
    const [services, checks] = await Promise.all([
      this.#parts.services.list({ filter: filterOf('ID', ids), signal }),
      this.#parts.checks.list({ filter: filterOf('ServiceID', ids), signal }),
    ])
    const byId = new Map(services.map((service) => [service.id, service]))
    const checksById = new Map(ids.map((id) => [id, new Array<CheckEntry>()]))
    for (const check of checks) checksById.get(check.serviceId)?.push(check)
    // A record that came meanwhile was not asked for; one that has ended is no longer among these.
    for (const [record, observer] of [...this.#observers]) {
      const { id } = record.definition.service
      const checksOfIt = checksById.get(id)
      if (checksOfIt === undefined || !this.#observers.has(record)) continue
      const service = byId.get(id)
      observer(service === undefined ? { type: 'gone' } : record.judge(service, checksOfIt))
    }
  }
}

function filterOf(selector: string, ids: readonly string[]): string | undefined {
  return ids.length > MOST_NAMED ? undefined : ids.map((id) => `${selector} == ${JSON.stringify(id)}`).join(' or ')
}
