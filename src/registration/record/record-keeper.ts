import type { AgentCheckApi, CheckRegistration, SettableStatus } from '../../api/agent-check.js'
import type { AgentServiceApi } from '../../api/agent-service.js'
import type { HealthApi } from '../../api/health.js'
import type { CheckEntry, ServiceRecord } from '../../api/health-entry.js'
import { backoffMs, type BackoffOptions } from '../../core/backoff.js'
import type { Runtime } from '../../core/runtime.js'
import { Sequence } from '../../core/sequence.js'
import { sleep } from '../../core/sleep.js'
import { neverConnected } from '../../errors/network-failure.js'
import { ProconsulError, isProconsulError } from '../../errors/proconsul-error.js'
import type { ResolvedDefinition } from '../definition/resolve-definition.js'
import { BOOT_KEY, formatBoot, isAlive, parseBoot, type Boot } from '../identity/boot.js'
import { Maintenance } from './maintenance.js'
import { takeOver } from './take-over.js'
import { changedKinds, checkDrift, leftChecks, otherKinds, serviceDrift, surplusIds } from './record-drift.js'

/** What a record is kept with. */
export interface RecordParts {
  readonly runtime: Runtime
  readonly services: AgentServiceApi
  readonly checks: AgentCheckApi
  readonly health: HealthApi
  readonly boot: Boot
  /** How often the token has changed. The agent goes on syncing a service with the one that it was written under. */
  tokenChanges(): number
}

/** What the agent has under the service's id. */
export type RecordVerdict =
  | { readonly type: 'right' }
  | { readonly type: 'gone' }
  /** Ours, or of a dead run, but not as it was registered. Without fields it is, but under a token that has been replaced since. */
  | { readonly type: 'drifted'; readonly fields: readonly string[] }
  /** Of another process that lives, as far as can be told. */
  | { readonly type: 'taken'; readonly by: Boot }

/** How a definition is replaced. */
export interface Replacement {
  /** The status of a TTL check. */
  readonly status: SettableStatus
  /** The status of other checks that are new, so that an update takes no healthy instance out of discovery. */
  readonly fresh: SettableStatus
  /** Whether a slow start ends with it. */
  readonly fullWeight: boolean
  /** The agent has the new record, and the checks that it has no more are about to be ended. */
  readonly onTaken: () => Promise<void>
}

/** Delays between tries to deregister: callers wait for it. */
const REMOVE_DELAYS: BackoffOptions = Object.freeze({ firstMs: 100, maxMs: 1_000 })
const CONFIRM_DELAYS: BackoffOptions = Object.freeze({ firstMs: 20, maxMs: 500 })

/** One service's record at the agent: written, inspected and removed one thing at a time, so that no write overtakes another. */
export class RecordKeeper {
  readonly #parts: RecordParts
  readonly #ownBoot: string
  #definition: ResolvedDefinition
  readonly #turns = new Sequence()
  readonly #maintenance: Maintenance
  /** Last seen status of the checks that the agent carries out. */
  #statuses = new Map<string, SettableStatus>()
  /** Ids under which the agent was seen to carry out what is to be ended before the next write: another kind of check, or one too many. */
  #strange: readonly string[] = []
  /** The same for what an update replaced, which the agent may carry on without showing it. */
  readonly #superseded = new Set<string>()
  /** Whether the agent may have taken an update that failed. */
  #isDoubtful = false
  /** Whether an earlier run may have left checks that nobody has looked at. */
  #mayInherit = true
  #mayBeThere = false
  /** How often the token had changed before the write that the agent is known to have taken last; before any is, that of the first. */
  #writtenUnder: number | undefined
  #isLeaving = false
  /** Stands in for the definition's while a slow start lasts. */
  weight: number | undefined

  constructor(definition: ResolvedDefinition, parts: RecordParts) {
    this.#definition = definition
    this.#parts = parts
    this.#ownBoot = formatBoot(parts.boot)
    this.#maintenance = new Maintenance(definition.service.id, parts)
  }

  get definition(): ResolvedDefinition {
    return this.#definition
  }

  /** Whether the agent has been asked to keep the record: it may have it even where its answer was lost. */
  get mayBeThere(): boolean {
    return this.#mayBeThere
  }

  /** The checks that the agent carries out, with the status last seen. */
  get activeStatuses(): readonly SettableStatus[] {
    const active = this.#definition.service.checks.filter(({ type }) => type !== 'ttl')
    return active.map(({ id, status }) => this.#statuses.get(id) ?? status ?? 'critical')
  }

  /** Writes the record and what belongs to it, with `status` for a TTL check that is new to the agent and the last known one for others. */
  async put(status: SettableStatus, signal: AbortSignal): Promise<void> {
    this.#refuseLeaving()
    await this.#turns.run(async () => {
      if (this.#mayInherit) await this.#inherit(signal)
      await this.#endStrange(signal)
      await this.#write(this.#sent, (check) => (check.type === 'ttl' ? status : this.#statuses.get(check.id)), signal)
      this.#isDoubtful = false
      await this.#maintenance.renew(signal)
    })
  }

  /**
   * Replaces the definition. Once the agent has taken the new record, this resolves: what is left to end then, and cannot be ended now,
   * is drift. Before that the old definition stays, and is set back where the agent may have taken the new one all the same.
   */
  async replace(next: ResolvedDefinition, replacement: Replacement, signal: AbortSignal): Promise<void> {
    this.#refuseLeaving()
    await this.#turns.run(async () => {
      const old = this.#definition
      const changed = changedKinds(old, next)
      const { status, fresh } = replacement
      // What a check of another kind found says nothing about the new one.
      const statusOf = ({ type, id }: CheckRegistration): SettableStatus =>
        type === 'ttl' ? status : ((changed.includes(id) ? undefined : this.#statuses.get(id)) ?? fresh)
      const sent = replacement.fullWeight ? next.service : this.#weighted(next.service)
      try {
        await this.#write(sent, statusOf, signal)
      } catch (error) {
        this.#doubt(error, [...changed, ...surplusIds(next, old)])
        throw error
      }
      this.#statuses = new Map(next.service.checks.map((check) => [check.id, statusOf(check)]))
      for (const id of [...changed, ...surplusIds(old, next)]) this.#superseded.add(id)
      this.#definition = next
      if (replacement.fullWeight) this.weight = undefined
      await replacement.onTaken()
      const mustWriteAgain = changed.length + this.#strange.length > 0
      try {
        // Replacing all checks in one call would also end a maintenance, which is a check to Consul.
        await this.#endStrange(signal)
        if (mustWriteAgain) await this.#write(sent, statusOf, signal)
        await this.#maintenance.renew(signal)
      } catch (error) {
        this.#parts.runtime.logger.debug({ id: this.#id, err: error }, 'what an update left to be done is done later')
      }
    })
  }

  /** Reads what the agent has, after every write before it. */
  async inspect(signal: AbortSignal): Promise<RecordVerdict> {
    return await this.#turns.run(async () => {
      const { value: record } = await this.#parts.services.get(this.#id, { signal })
      if (record === undefined) return { type: 'gone' }
      return this.judge(record, await this.#readChecks(signal))
    })
  }

  /** What a record and the agent's checks say. */
  judge(record: ServiceRecord, checks: readonly CheckEntry[]): RecordVerdict {
    const { boot: own } = this.#parts
    const owner = record.meta[BOOT_KEY]
    const boot = owner === this.#ownBoot ? own : parseBoot(owner)
    if (boot !== undefined && boot !== own && isAlive(boot, own) !== false) return { type: 'taken', by: boot }
    this.#strange = otherKinds(this.#definition, checks)
    const superseded = [...this.#superseded].map((id) => `check ${id}`)
    for (const { id, serviceId, status } of checks) {
      // What another kind of check found says nothing about ours.
      if (serviceId === this.#id && !this.#strange.includes(id)) this.#statuses.set(id, status)
    }
    const drift = [...serviceDrift(this.#sent, record), ...checkDrift(this.#definition, checks), ...superseded]
    if (boot !== own) drift.unshift('boot')
    if (this.#isDoubtful) drift.push('update')
    if (this.#maintenance.isMissing(checks)) drift.push('maintenance')
    const fields = [...new Set(drift)]
    return fields.length === 0 && !this.#isUnderOldToken ? { type: 'right' } : { type: 'drifted', fields }
  }

  /** The live process that has the id already, if any. */
  async holder(signal: AbortSignal): Promise<Boot | undefined> {
    const { value: record } = await this.#parts.services.get(this.#id, { signal })
    // Without a record there are no checks of an earlier run.
    if (record === undefined) this.#mayInherit = false
    const boot = parseBoot(record?.meta[BOOT_KEY])
    const { boot: own } = this.#parts
    return boot === undefined || boot.runId === own.runId || isAlive(boot, own) === false ? undefined : boot
  }

  /** Removes what dead runs on this host left under other ids, for the same name, address and port. Never rejects. */
  async sweep(signal: AbortSignal): Promise<void> {
    const { service } = this.#definition
    const { services, boot: own, runtime } = this.#parts
    try {
      const others = await services.list({ filter: `Service == ${JSON.stringify(service.name)}`, signal })
      const dead = others.filter((other) => {
        const boot = parseBoot(other.meta[BOOT_KEY])
        const samePlace = other.address === (service.address ?? '') && other.port === (service.port ?? 0)
        return other.id !== service.id && samePlace && boot !== undefined && isAlive(boot, own) === false
      })
      await Promise.all(dead.map((remnant) => this.#removeRemnant(remnant, signal)))
    } catch (error) {
      runtime.logger.debug({ id: service.id, err: error }, 'what dead processes left could not be removed')
    }
  }

  /**
   * Removes the record unless it never reached the agent, or another process has taken it over. Repeats what may pass, until the signal is
   * aborted. What is asked to be written after the call is not.
   */
  async remove(signal: AbortSignal): Promise<void> {
    this.#isLeaving = true
    await this.#turns.run(async () => {
      if (!this.#mayBeThere) return
      await this.#persist(signal, async () => {
        if ((await this.holder(signal)) !== undefined) return
        // The agent tells the servers under the token that it has: where that is revoked, they would list the service for good.
        if (this.#isUnderOldToken) await this.#write(this.#sent, () => 'critical', signal)
        await this.#parts.services.deregister(this.#id, { signal })
      })
    })
  }

  /** Resolves when the own id is not among the passing instances of the catalog. Rejects when the signal is aborted. */
  async confirmGone(signal: AbortSignal): Promise<void> {
    const { runtime, health } = this.#parts
    for (let attempt = 0; ; attempt++) {
      const isListed = await this.#isListed(health, signal)
      if (isListed === false) return
      await sleep(backoffMs(attempt, CONFIRM_DELAYS, runtime.random), { clock: runtime.clock, signal })
    }
  }

  /** Begins or ends a maintenance. One that has begun is kept, whatever becomes of the record, until it is ended here. */
  async maintenance(enable: boolean, reason: string | undefined, signal: AbortSignal): Promise<void> {
    await this.#turns.run(() => (enable ? this.#maintenance.begin(reason, signal) : this.#maintenance.end(signal)))
  }

  async #isListed(health: HealthApi, signal: AbortSignal): Promise<boolean | undefined> {
    try {
      const { value } = await health.service(this.#definition.service.name, { passing: true, signal })
      return value.some(({ service }) => service.id === this.#id && service.meta[BOOT_KEY] === this.#ownBoot)
    } catch (error) {
      if (signal.aborted) throw error
      // A token that may write the service but not read it cannot confirm anything.
      return isProconsulError(error, 'PROCONSUL_PERMISSION_DENIED') ? false : undefined
    }
  }

  /** The agent tells the servers with the token of a registration, and that of a dead run may have ended with it: so it gets ours before. */
  async #removeRemnant({ id, name, address, port, tags, meta }: ServiceRecord, signal: AbortSignal): Promise<void> {
    const { services, runtime } = this.#parts
    await services.register({ id, name, address, port, tags, meta }, { signal })
    await services.deregister(id, { signal })
    runtime.logger.info({ id }, 'removed what a dead process had left registered')
  }

  /** The definition as it is written: with the weight of a slow start. */
  get #sent(): ResolvedDefinition['service'] {
    return this.#weighted(this.#definition.service)
  }

  #weighted(service: ResolvedDefinition['service']): ResolvedDefinition['service'] {
    if (this.weight === undefined) return service
    return { ...service, weights: { warning: 1, ...service.weights, passing: this.weight } }
  }

  async #write(
    service: ResolvedDefinition['service'],
    statusOf: (check: CheckRegistration) => SettableStatus | undefined,
    signal: AbortSignal,
  ): Promise<void> {
    const checks = service.checks.map((check): CheckRegistration => {
      const known = statusOf(check)
      return known === undefined || check.type === 'alias' ? check : { ...check, status: known }
    })
    const wasThere = this.#mayBeThere
    this.#mayBeThere = true
    // Whichever is sent is no older than this.
    const tokenChanges = this.#parts.tokenChanges()
    this.#writtenUnder ??= tokenChanges
    try {
      await this.#parts.services.register({ ...service, checks }, { signal })
      this.#writtenUnder = tokenChanges
    } catch (error) {
      if (isProconsulError(error) && neverConnected(error)) this.#mayBeThere = wasThere
      throw error
    }
  }

  /** The agent may have taken what it did not answer, with checks that are then too many. */
  #doubt(error: unknown, ids: readonly string[]): void {
    if (!isProconsulError(error) || !error.retryable || neverConnected(error)) return
    this.#isDoubtful = true
    for (const id of ids) this.#superseded.add(id)
  }

  /** Looks at the checks of an earlier run. Where that is not allowed, what is there stays unknown. */
  async #inherit(signal: AbortSignal): Promise<void> {
    try {
      const checks = await this.#readChecks(signal)
      this.#strange = [...otherKinds(this.#definition, checks), ...leftChecks(this.#definition, checks)]
      this.#tellMaintenance(checks)
    } catch (error) {
      if (signal.aborted || !isProconsulError(error) || error.retryable) throw error
      this.#parts.runtime.logger.debug({ id: this.#id, err: error }, 'the checks of an earlier run could not be read')
    }
    this.#mayInherit = false
  }

  /** Whoever began a maintenance may want it to last: it keeps the service out of discovery until somebody ends it. */
  #tellMaintenance(checks: readonly CheckEntry[]): void {
    const entry = checks.find(({ type, serviceId }) => type === 'maintenance' && serviceId === this.#id)
    if (entry === undefined) return
    const fields = { id: this.#id, reason: entry.notes }
    this.#parts.runtime.logger.warn(fields, 'the service is in maintenance from before; `maintenance(false)` ends it')
  }

  /** The checks of the service, and whatever is under the ids of its checks. */
  async #readChecks(signal: AbortSignal): Promise<readonly CheckEntry[]> {
    const own = this.#definition.service.checks.map(({ id }) => `CheckID == ${JSON.stringify(id)}`)
    const filter = [`ServiceID == ${JSON.stringify(this.#id)}`, ...own].join(' or ')
    return await this.#parts.checks.list({ filter, signal })
  }

  /**
   * An agent to which another kind of check is registered under an id goes on with the old one beside it, and the two report in turn.
   * Only a deregistration ends both.
   */
  async #endStrange(signal: AbortSignal): Promise<void> {
    const ids = [...new Set([...this.#strange, ...this.#superseded])]
    await takeOver(this.#parts, this.#id, ids, signal)
    await Promise.all(ids.map((id) => this.#parts.checks.deregister(id, { signal })))
    this.#strange = []
    this.#superseded.clear()
  }

  async #persist(signal: AbortSignal, work: () => Promise<void>): Promise<void> {
    const { clock, random } = this.#parts.runtime
    for (let attempt = 0; ; attempt++) {
      try {
        await work()
        return
      } catch (error) {
        if (signal.aborted || !isProconsulError(error) || !error.retryable) throw error
        await sleep(Math.max(backoffMs(attempt, REMOVE_DELAYS, random), error.retryAfterMs ?? 0), { clock, signal })
      }
    }
  }

  #refuseLeaving(): void {
    if (this.#isLeaving) throw new ProconsulError('PROCONSUL_CLOSED', `${this.#id} is being deregistered`)
  }

  get #isUnderOldToken(): boolean {
    return this.#writtenUnder !== undefined && this.#writtenUnder !== this.#parts.tokenChanges()
  }

  get #id(): string {
    return this.#definition.service.id
  }
}
