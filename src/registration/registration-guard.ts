import type { CheckEntry } from '../api/health-entry.js'
import { jitterMs } from '../core/backoff.js'
import type { Timer } from '../core/clock.js'
import type { Registration } from './registration.js'
import type { RecordKeeper, RecordParts } from './record/record-keeper.js'

/** One registration with its record. */
export interface Guarded {
  readonly registration: Pick<Registration, 'id' | 'state' | 'noteChecks' | 'audit'>
  readonly record: RecordKeeper
}

/** How often the agent is asked for what it has of us: two reads, whatever the number of registrations. */
const INTERVAL_MS = 5_000
/** Past a hundred registrations the answers are large: the interval grows with their number, up to this. */
const LONGEST_INTERVAL_MS = 30_000
const PER_REGISTRATION_MS = 50
/** The same at first, and while the agent cannot be reached: what it lost is to be back soon after it answers. */
const SOON_MS = 1_000
/** The same after the connection to the agent broke, which is what a restart looks like. */
const HURRY_MS = 200
const JITTER = 0.1

/** Past so many registrations the agent is asked for all that it has instead of for these. */
const MOST_NAMED = 20

/**
 * Compares what the agent has with what was registered, for all registrations at once: a service whose checks the agent carries out
 * sends no heartbeats that would notice a loss, and no heartbeat notices changed tags.
 */
export class RegistrationGuard {
  readonly #parts: RecordParts
  readonly #guarded = new Set<Guarded>()
  /** The next look. */
  #next: { readonly timer: Timer; readonly dueMs: number } | undefined
  #closed = new AbortController()

  constructor(parts: RecordParts) {
    this.#parts = parts
  }

  add(guarded: Guarded): void {
    this.#guarded.add(guarded)
    this.#plan(SOON_MS)
  }

  remove(guarded: Guarded): void {
    this.#guarded.delete(guarded)
    if (this.#guarded.size === 0) this.#unplan()
  }

  /** The agent may have restarted: looks soon, and until it answers. */
  hurry(): void {
    this.#plan(HURRY_MS)
  }

  close(): void {
    this.#closed.abort()
    this.#guarded.clear()
    this.#unplan()
  }

  /** Plans a look, unless an earlier one is planned: nothing that goes on happening may put it off. */
  #plan(delayMs: number): void {
    if (this.#closed.signal.aborted || this.#guarded.size === 0) return
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
    const intervalMs = Math.max(INTERVAL_MS, this.#guarded.size * PER_REGISTRATION_MS)
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
    const guarded = [...this.#guarded]
    const { signal } = this.#closed
    const [services, checks] = await Promise.all([
      this.#parts.services.list({ filter: filterOf('ID', guarded), signal }),
      this.#parts.checks.list({ filter: filterOf('ServiceID', guarded), signal }),
    ])
    const byId = new Map(services.map((service) => [service.id, service]))
    const checksById = new Map(guarded.map(({ registration }) => [registration.id, new Array<CheckEntry>()]))
    for (const check of checks) checksById.get(check.serviceId)?.push(check)
    for (const entry of guarded) {
      // It may have ended while the agent was asked.
      if (!this.#guarded.has(entry)) continue
      const { registration, record } = entry
      const service = byId.get(registration.id)
      const verdict = service && record.judge(service, checksById.get(registration.id) ?? [])
      registration.noteChecks()
      // What was read may be older than a write that was under way: the audit decides.
      if (verdict?.type !== 'right' || registration.state === 'lost') void registration.audit()
    }
  }
}

function filterOf(selector: string, guarded: readonly Guarded[]): string | undefined {
  if (guarded.length > MOST_NAMED) return undefined
  return guarded.map(({ registration }) => `${selector} == ${JSON.stringify(registration.id)}`).join(' or ')
}
