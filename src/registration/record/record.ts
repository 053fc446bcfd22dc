import type { ProconsulError } from '../../errors/proconsul-error.js'
import type { HealthStatus } from '../definition/health-status.js'
import type { ResolvedDefinition } from '../definition/resolve-definition.js'
import type { Boot } from '../identity/boot.js'

/**
 * The contract with a registry: one record of one service. Whoever implements it, and `Registry` (registry.ts), which opens the records of
 * one client, gets probes, heartbeats, repair, conflicts, updates, drain and shutdown from `life/` without a line of its own: Consul here,
 * another registry elsewhere.
 *
 * Calls of `put`, `replace`, `inspect`, `remove` and `maintenance` never overlap: the life makes them one after the other. `beat` and
 * `holder` may come at any time. Every call rejects with a `ProconsulError`, and soon after its signal is aborted. None repeats what
 * failed: the life does, with pauses.
 */

/** Heartbeats in the time after which a registry takes a service without one for dead. */
export const BEATS_PER_TTL = 3

/** What a heartbeat says. */
export interface BeatReport {
  readonly status: HealthStatus
  /** For people. */
  readonly output: string
}

/** A heartbeat as a thread that knows no registry sends it. */
export interface BeatRequest {
  /** Names it in messages. */
  readonly operation: string
  /** Path below the registry's address, encoded. */
  readonly path: string
}

/** How a record is written. */
export interface RecordWrite {
  /** What the probes of this process say. */
  readonly status: HealthStatus
  /** Stands in for the definition's weight while a slow start lasts. */
  readonly weight?: number | undefined
}

/** How a definition is replaced. */
export interface Replacement extends RecordWrite {
  /** The status with which checks begin that the registry carries out and that are new: an update takes no healthy service out. */
  readonly fresh: HealthStatus
  /** The registry has the new record, and what it replaces is about to be ended. Awaited. */
  readonly onTaken: () => Promise<void>
}

/** What the registry has under the service's id. */
export type RecordVerdict =
  | { readonly type: 'right' }
  | { readonly type: 'gone' }
  /**
   * Made by this run or by a dead one, but not as it was registered. `fields` names what differs; it is empty where only the credentials
   * of this process have changed since the write.
   */
  | { readonly type: 'drifted'; readonly fields: readonly string[] }
  /** Of another process, which is alive as far as can be told. */
  | { readonly type: 'taken'; readonly by: Boot }

/** Hears what the registry was seen to have; undefined: the record may have changed, and is to be inspected. */
export type RecordObserver = (seen: RecordVerdict | undefined) => void

/** One service's record in a registry. */
export interface RegistryRecord {
  /** What is registered, or is to be. */
  readonly definition: ResolvedDefinition

  /** Whether the registry may have the record: it was asked to keep it, and may have done so even where its answer was lost. */
  readonly mayBeThere: boolean

  /** The last known status of each check that the registry carries out itself. */
  readonly activeStatuses: readonly HealthStatus[]

  /** Set once several registries have answered as if they were one since the record was opened: each may know a part of what was said. */
  readonly split: ProconsulError | undefined

  /** Replaces the definition before the first `put`. */
  revise(definition: ResolvedDefinition): void

  /** Writes the record with all that belongs to it. What others changed is then as it was. */
  put(write: RecordWrite, signal: AbortSignal): Promise<void>

  /**
   * Writes another definition. Resolves once the registry has taken the new record; what is left to be ended then, and cannot be now, is
   * drift. Before that the old definition stays, and counts as drifted where the registry may have taken the new one all the same.
   */
  replace(next: ResolvedDefinition, replacement: Replacement, signal: AbortSignal): Promise<void>

  /**
   * Says that the process lives, and how it is. Settles within a heartbeat's interval.
   * @throws ProconsulError `PROCONSUL_NOT_FOUND` where the registry does not know the record
   */
  beat(report: BeatReport, signal: AbortSignal): Promise<void>

  /** What a thread of its own sends as heartbeats. Undefined where there is no such request: then they come from the main thread. */
  beatRequest(): BeatRequest | undefined

  /** Looks at what the registry has. `isMissed`: a heartbeat has just found the record unknown. */
  inspect(signal: AbortSignal, isMissed: boolean): Promise<RecordVerdict>

  /** The other live process that has the id, if any. */
  holder(signal: AbortSignal): Promise<Boot | undefined>

  /** Removes the record, unless it never reached the registry or another process has taken it over. */
  remove(signal: AbortSignal): Promise<void>

  /** Whether nobody finds the removed service any more. Asked again until it is so, or for long enough. */
  confirmGone(signal: AbortSignal): Promise<boolean>

  /** Takes the service out of discovery without removing it, or back in. One that has begun is kept up by every write until it is ended. */
  maintenance(enable: boolean, reason: string | undefined, signal: AbortSignal): Promise<void>

  /** Removes what dead runs left under other ids for the same place. Never rejects. */
  sweep(signal: AbortSignal): Promise<void>

  /**
   * Has the record looked at again and again, until the returned function is called. `closely`: no heartbeat would notice a loss, or
   * somebody waits for it.
   */
  observe(observer: RecordObserver, closely: boolean): () => void
}
