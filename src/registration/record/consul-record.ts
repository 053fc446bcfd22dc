import type { CheckRegistration, SettableStatus } from '../../api/agent-check.js'
import type { CheckEntry, ServiceRecord } from '../../api/health-entry.js'
import { path } from '../../api/path.js'
import { neverConnected } from '../../errors/network-failure.js'
import { isProconsulError, type ProconsulError } from '../../errors/proconsul-error.js'
import type { ResolvedDefinition } from '../definition/resolve-definition.js'
import type { Boot } from '../identity/boot.js'
import type { Agents } from './agent/agents.js'
import type { ConsulParts } from './agent/consul-parts.js'
import { changedKinds, checkDrift, otherKinds, surplusIds } from './checks/check-drift.js'
import { CheckStatuses } from './checks/check-statuses.js'
import { Debris } from './checks/debris.js'
import { Inheritance } from './checks/inheritance.js'
import { isGone, isGoneEverywhere } from './confirmation.js'
import { Maintenance } from './maintenance.js'
import { Ownership } from './ownership.js'
import {
  BEATS_PER_TTL,
  type BeatReport,
  type BeatRequest,
  type RecordObserver,
  type RecordVerdict,
  type RecordWrite,
  type RegistryRecord,
  type Replacement,
} from './record.js'
import { sweepRemnants } from './remnants.js'
import { serviceDrift } from './service-drift.js'
import { TokenAge } from './token-age.js'
import { wellFormed } from './well-formed.js'

/** What a record needs of the registry beside Consul's endpoints. */
export interface ConsulRecordParts extends ConsulParts {
  readonly agents: Agents
  observe(record: ConsulRecord, observer: RecordObserver, closely: boolean): () => void
}

/** One service's record at a Consul agent. */
export class ConsulRecord implements RegistryRecord {
  readonly #parts: ConsulRecordParts
  readonly #owner: Ownership
  #definition: ResolvedDefinition
  readonly #maintenance: Maintenance
  readonly #statuses = new CheckStatuses()
  readonly #debris: Debris
  readonly #inheritance: Inheritance
  readonly #tokenAge: TokenAge
  readonly #openedAt: number
  /** The weight that the agent was told last, where a slow start holds it down. */
  #weight: number | undefined
  /** Whether the agent may have taken an update that failed. */
  #isDoubtful = false
  #mayBeThere = false
  /** How often in a row a heartbeat found the record unknown that was there. */
  #contradictions = 0

  constructor(definition: ResolvedDefinition, boot: Boot, parts: ConsulRecordParts) {
    this.#definition = wellFormed(definition)
    this.#parts = parts
    this.#owner = new Ownership(boot)
    this.#maintenance = new Maintenance(definition.service.id, parts)
    this.#debris = new Debris(definition.service.id, parts)
    this.#inheritance = new Inheritance(parts.runtime, this.#debris)
    this.#openedAt = parts.agents.moment
    this.#tokenAge = new TokenAge(() => parts.tokenChanges())
  }

  get definition(): ResolvedDefinition {
    return this.#definition
  }

  get mayBeThere(): boolean {
    return this.#mayBeThere
  }

  get activeStatuses(): readonly SettableStatus[] {
    return this.#statuses.active(this.#definition)
  }

  get split(): ProconsulError | undefined {
    return this.#parts.agents.splitSince(this.#openedAt)
  }

  revise(definition: ResolvedDefinition): void {
    this.#definition = wellFormed(definition)
  }

  async put({ status, weight }: RecordWrite, signal: AbortSignal): Promise<void> {
    await this.#inheritance.look(this.#definition, () => this.#readChecks(signal), signal)
    await this.#debris.end(signal)
    const statusOf = ({ type, id }: CheckRegistration): SettableStatus | undefined =>
      type === 'ttl' ? status : this.#statuses.of(id)
    await this.#write(this.#definition, weight, statusOf, signal)
    this.#isDoubtful = false
    await this.#maintenance.renew(signal)
  }

  async replace(definition: ResolvedDefinition, replacement: Replacement, signal: AbortSignal): Promise<void> {
    const [old, next] = [this.#definition, wellFormed(definition)]
    const changed = changedKinds(old, next)
    const { status, fresh, weight } = replacement
    // What a check of another kind found says nothing about the new one.
    const statusOf = ({ type, id }: CheckRegistration): SettableStatus =>
      type === 'ttl' ? status : ((changed.includes(id) ? undefined : this.#statuses.of(id)) ?? fresh)
    const before = this.#weight
    try {
      await this.#write(next, weight, statusOf, signal)
    } catch (error) {
      this.#weight = before
      this.#doubt(error, [...changed, ...surplusIds(next, old)])
      throw error
    }
    this.#statuses.begin(next.service.checks, statusOf)
    this.#debris.supersede([...changed, ...surplusIds(old, next)])
    this.#definition = next
    await replacement.onTaken()
    const mustWriteAgain = changed.length > 0 || this.#debris.wasSeen
    try {
      // Replacing all checks in one call would also end a maintenance, which is a check to Consul.
      await this.#debris.end(signal)
      if (mustWriteAgain) await this.#write(next, weight, statusOf, signal)
      await this.#maintenance.renew(signal)
    } catch (error) {
      this.#parts.runtime.logger.debug({ id: this.#id, err: error }, 'what an update left to be done is done later')
    }
  }

  async beat({ status, output }: BeatReport, signal: AbortSignal): Promise<void> {
    const { ttl } = this.#definition
    if (ttl === undefined) return
    await this.#parts.checks.update(ttl.checkId, status, output, { timeout: ttl.ttlMs / BEATS_PER_TTL, signal })
  }

  beatRequest(): BeatRequest | undefined {
    const { ttl } = this.#definition
    if (ttl === undefined) return undefined
    return { operation: 'agent.check.update', path: `/v1${path`/agent/check/update/${ttl.checkId}`}` }
  }

  async inspect(signal: AbortSignal, isMissed: boolean): Promise<RecordVerdict> {
    if (isMissed) await this.#parts.agents.askAfterLoss()
    const { value: record } = await this.#parts.services.get(this.#id, { signal })
    if (record === undefined) return { type: 'gone' }
    const verdict = this.judge(record, await this.#readChecks(signal))
    if (isMissed) {
      this.#contradictions = verdict.type === 'right' ? this.#contradictions + 1 : 0
      this.#parts.agents.contradicted(this.#contradictions)
    }
    return verdict
  }

  /** What a record and the agent's checks say. */
  judge(record: ServiceRecord, checks: readonly CheckEntry[]): RecordVerdict {
    for (const { node, serviceId } of checks) if (serviceId === this.#id) this.#parts.agents.saw(node)
    const by = this.#owner.rivalOf(record.meta)
    if (by !== undefined) return { type: 'taken', by }
    const strange = otherKinds(this.#definition, checks)
    this.#debris.see(strange)
    this.#statuses.see(this.#id, checks, strange)
    const fields = [
      ...(this.#owner.isOurs(record.meta) ? [] : ['boot']),
      ...serviceDrift(weighted(this.#definition.service, this.#weight), record),
      ...checkDrift(this.#definition, checks),
      ...this.#debris.drift,
      ...(this.#isDoubtful ? ['update'] : []),
      ...(this.#maintenance.isMissing(checks) ? ['maintenance'] : []),
    ]
    if (fields.length === 0 && !this.#tokenAge.isOld) return { type: 'right' }
    return { type: 'drifted', fields: [...new Set(fields)] }
  }

  async holder(signal: AbortSignal): Promise<Boot | undefined> {
    await this.#parts.agents.askIfSeveral()
    const { value: record } = await this.#parts.services.get(this.#id, { signal })
    if (record === undefined) this.#inheritance.isEmpty()
    return this.#owner.rivalOf(record?.meta ?? {})
  }

  async remove(signal: AbortSignal): Promise<void> {
    if (!this.#mayBeThere || (await this.holder(signal)) !== undefined) return
    // The agent tells the servers under the token that it has: where that is revoked, they would list the service for good.
    if (this.#tokenAge.isOld) await this.#write(this.#definition, this.#weight, () => 'critical', signal)
    await this.#parts.services.deregister(this.#id, { signal, repeat: false })
  }

  async confirmGone(signal: AbortSignal): Promise<boolean> {
    const { service } = this.#definition
    const look = this.split === undefined ? isGone : isGoneEverywhere
    return await look(service, this.#owner, this.#parts, signal)
  }

  async maintenance(enable: boolean, reason: string | undefined, signal: AbortSignal): Promise<void> {
    await (enable ? this.#maintenance.begin(reason, signal) : this.#maintenance.end(signal))
  }

  async sweep(signal: AbortSignal): Promise<void> {
    await sweepRemnants(this.#definition, this.#owner, this.#parts, signal)
  }

  observe(observer: RecordObserver, closely: boolean): () => void {
    return this.#parts.observe(this, observer, closely)
  }

  async #write(
    { service }: ResolvedDefinition,
    weight: number | undefined,
    statusOf: (check: CheckRegistration) => SettableStatus | undefined,
    signal: AbortSignal,
  ): Promise<void> {
    const checks = service.checks.map((check): CheckRegistration => {
      const known = statusOf(check)
      return known === undefined || check.type === 'alias' ? check : { ...check, status: known }
    })
    const wasThere = this.#mayBeThere
    this.#mayBeThere = true
    this.#weight = weight
    try {
      await this.#tokenAge.of(() => this.#parts.services.register({ ...weighted(service, weight), checks }, { signal }))
    } catch (error) {
      if (isProconsulError(error) && neverConnected(error)) this.#mayBeThere = wasThere
      throw error
    }
  }

  /** The agent may have taken what it did not answer, with checks that are then too many. */
  #doubt(error: unknown, ids: readonly string[]): void {
    if (!isProconsulError(error) || !error.retryable || neverConnected(error)) return
    this.#isDoubtful = true
    this.#debris.supersede(ids)
  }

  /** The checks of the service, and whatever is under the ids of its checks. */
  async #readChecks(signal: AbortSignal): Promise<readonly CheckEntry[]> {
    const own = this.#definition.service.checks.map(({ id }) => `CheckID == ${JSON.stringify(id)}`)
    const filter = [`ServiceID == ${JSON.stringify(this.#id)}`, ...own].join(' or ')
    return await this.#parts.checks.list({ filter, signal })
  }

  get #id(): string {
    return this.#definition.service.id
  }
}

/** A service as it is written during a slow start. */
function weighted(service: ResolvedDefinition['service'], passing: number | undefined): ResolvedDefinition['service'] {
  return passing === undefined ? service : { ...service, weights: { warning: 1, ...service.weights, passing } }
}
