/**
 * The services and checks that were registered with one agent. The agent is the authority on them: what it says goes to the catalog, and
 * what others write into the catalog about its node is undone at the next full synchronisation.
 */
import type { Clock } from '../../core/clock.js'
import type { CheckRunner } from '../checks/check-runner.js'
import type { CheckSpec } from '../checks/check-spec.js'
import { createRunner } from '../checks/create-runner.js'
import { limitOutput, MAX_OUTPUT_BYTES } from '../checks/output-limit.js'
import { TtlCheck } from '../checks/ttl-check.js'
import type { CheckDefinition, CheckStatus, ServiceDefinition } from '../state/records.js'
import { NS_PER_MS } from '../wire/go-duration.js'
import { aliasedState, isAliasOf } from './alias-state.js'

/** A service of this agent, with the token that registered it. */
export interface LocalService {
  readonly definition: ServiceDefinition
  readonly token: string
}

/** A check of this agent. */
export interface LocalCheck {
  readonly definition: CheckDefinition
  /** How it is made; undefined for maintenance, which nobody checks. */
  readonly spec: CheckSpec | undefined
  readonly token: string
  readonly runner: CheckRunner | undefined
  /** Since when it has been critical, by the clock that never jumps. */
  readonly criticalSinceMs: number | undefined
}

/** A check about to be added. */
export type NewCheck = Pick<LocalCheck, 'definition' | 'spec' | 'token'>

/** What a change of the local state means for the catalog. */
export interface LocalStateListener {
  serviceChanged(id: string, token: string): void
  checkChanged(id: string, token: string): void
  /** Only the output changed: the catalog may hear of it later. */
  outputChanged(id: string): void
  /** All changes of one call are in; send them. */
  settled(): void
}

/** What an agent keeps on disk. */
export interface LocalStateSnapshot {
  readonly services: readonly LocalService[]
  readonly checks: readonly (NewCheck & { readonly expiresAtMs: number | undefined })[]
}

/** The services and checks of one agent. */
export class LocalState {
  readonly #clock: Clock
  readonly #listener: LocalStateListener
  readonly #services = new Map<string, LocalService>()
  readonly #checks = new Map<string, LocalCheck>()
  /** Check ids by service id, so that a call does not walk through all checks of a busy agent. */
  readonly #checkIds = new Map<string, Set<string>>()
  readonly #aliases = new Set<string>()

  constructor(clock: Clock, listener: LocalStateListener) {
    this.#clock = clock
    this.#listener = listener
  }

  services(): readonly LocalService[] {
    return [...this.#services.values()].sort((left, right) => compare(left.definition.id, right.definition.id))
  }

  checks(): readonly LocalCheck[] {
    return [...this.#checks.values()].sort((left, right) => compare(left.definition.checkId, right.definition.checkId))
  }

  service(id: string): LocalService | undefined {
    return this.#services.get(id)
  }

  check(id: string): LocalCheck | undefined {
    return this.#checks.get(id)
  }

  checksOf(serviceId: string): readonly LocalCheck[] {
    const ids = [...(this.#checkIds.get(serviceId) ?? [])].sort(compare)
    return ids.flatMap((id) => this.#checks.get(id) ?? [])
  }

  /** Adds or replaces a service and its checks. A check that was there keeps its state, whatever the new one says. */
  addService(service: LocalService, checks: readonly NewCheck[], replaceExistingChecks: boolean): void {
    const { id } = service.definition
    this.#services.set(id, service)
    this.#listener.serviceChanged(id, service.token)
    const named = new Set(checks.map(({ definition }) => definition.checkId))
    for (const { definition } of this.checksOf(id)) {
      if (named.has(definition.checkId)) continue
      // One that stays goes on saying what the service was when it was registered.
      if (replaceExistingChecks) this.#dropCheck(definition.checkId)
    }
    for (const check of checks) this.#placeCheck(check)
    this.#listener.settled()
  }

  /** Adds or replaces one check. */
  addCheck(check: NewCheck): void {
    this.#placeCheck(check)
    this.#listener.settled()
  }

  /** Removes a service with its checks; false when it is not here. */
  removeService(id: string): boolean {
    const service = this.#services.get(id)
    if (service === undefined) return false
    this.#services.delete(id)
    for (const { definition } of this.checksOf(id)) this.#dropCheck(definition.checkId)
    this.#listener.serviceChanged(id, service.token)
    this.#listener.settled()
    return true
  }

  /** Removes a check; false when it is not here. */
  removeCheck(id: string): boolean {
    if (!this.#dropCheck(id)) return false
    this.#listener.settled()
    return true
  }

  /** Takes a heartbeat; false when there is no such TTL check. */
  heartbeat(id: string, status: CheckStatus, output: string): boolean {
    const check = this.#checks.get(id)
    if (!(check?.runner instanceof TtlCheck)) return false
    const wanted = check.spec?.OutputMaxSize ?? 0
    check.runner.update(status, limitOutput(output, wanted > 0 ? Math.min(wanted, MAX_OUTPUT_BYTES) : MAX_OUTPUT_BYTES))
    return true
  }

  /** What a restart would find on disk. */
  snapshot(): LocalStateSnapshot {
    const checks = this.checks().map(({ definition, spec, token, runner }) => ({
      definition,
      spec,
      token,
      expiresAtMs: runner instanceof TtlCheck ? runner.expiresAtMs : undefined,
    }))
    return { services: this.services(), checks }
  }

  /** Takes up what a restart found. A TTL that ran out meanwhile is critical; one that did not starts anew at its full length. */
  restore(snapshot: LocalStateSnapshot): void {
    for (const service of snapshot.services) {
      this.#services.set(service.definition.id, service)
      this.#listener.serviceChanged(service.definition.id, service.token)
    }
    for (const { definition, spec, token, expiresAtMs } of snapshot.checks) {
      const isKept = expiresAtMs === undefined ? spec === undefined : expiresAtMs > this.#clock.now()
      this.#placeCheck({
        definition: isKept ? definition : { ...definition, status: 'critical', output: '' },
        spec,
        token,
      })
    }
    this.#listener.settled()
  }

  /** Stops all checks, without a word to the catalog. */
  close(): void {
    for (const { runner } of this.#checks.values()) runner?.stop()
    for (const all of [this.#services, this.#checks, this.#checkIds, this.#aliases]) all.clear()
  }

  #placeCheck({ definition, spec, token }: NewCheck): void {
    const id = definition.checkId
    const before = this.#checks.get(id)
    before?.runner?.stop()
    if (before !== undefined) this.#checkIds.get(before.definition.serviceId)?.delete(id)
    this.#checkIds.set(definition.serviceId, (this.#checkIds.get(definition.serviceId) ?? new Set()).add(id))
    if (spec?.AliasService) this.#aliases.add(id)
    else this.#aliases.delete(id)
    const kept =
      before === undefined
        ? definition
        : { ...definition, status: before.definition.status, output: before.definition.output }
    const report = (status: CheckStatus, output: string): void => this.#report(id, status, output)
    const runner = spec === undefined ? undefined : createRunner(spec, { clock: this.#clock, report }, kept.output)
    const criticalSinceMs =
      kept.status === 'critical' ? (before?.criticalSinceMs ?? this.#clock.monotonic()) : undefined
    this.#checks.set(id, { definition: kept, spec, token, runner, criticalSinceMs })
    this.#listener.checkChanged(id, token)
    if (spec?.AliasService) this.#followAlias(id, spec.AliasService)
    else this.#tellAliases(kept.serviceId)
  }

  #dropCheck(id: string): boolean {
    const check = this.#checks.get(id)
    if (check === undefined) return false
    check.runner?.stop()
    this.#checks.delete(id)
    this.#aliases.delete(id)
    const siblings = this.#checkIds.get(check.definition.serviceId)
    siblings?.delete(id)
    if (siblings?.size === 0) this.#checkIds.delete(check.definition.serviceId)
    this.#listener.checkChanged(id, check.token)
    this.#tellAliases(check.definition.serviceId)
    return true
  }

  #report(id: string, status: CheckStatus, output: string): void {
    const check = this.#checks.get(id)
    if (check === undefined) return
    const { definition } = check
    if (definition.status === status && definition.output === output) return
    const criticalSinceMs = status === 'critical' ? (check.criticalSinceMs ?? this.#clock.monotonic()) : undefined
    this.#checks.set(id, { ...check, definition: { ...definition, status, output }, criticalSinceMs })
    if (definition.status === status) {
      this.#listener.outputChanged(id)
      return
    }
    this.#listener.checkChanged(id, check.token)
    this.#tellAliases(definition.serviceId)
    this.#listener.settled()
  }

  #tellAliases(serviceId: string): void {
    for (const id of this.#aliases) {
      const spec = this.#checks.get(id)?.spec
      if (spec !== undefined && isAliasOf(spec, serviceId)) this.#followAlias(id, serviceId)
    }
  }

  #followAlias(checkId: string, serviceId: string): void {
    const states = this.checksOf(serviceId).map(({ definition }) => definition)
    const { status, output } = aliasedState(serviceId, this.#services.has(serviceId), states)
    this.#report(checkId, status, output)
  }
}

/** The most that a critical check may stay before its service is removed, in milliseconds; undefined for ever. */
export function deregisterAfterMs(check: LocalCheck, minimumMs: number): number | undefined {
  const givenNs = check.spec?.DeregisterCriticalServiceAfter ?? 0
  return givenNs <= 0 ? undefined : Math.max(givenNs / NS_PER_MS, minimumMs)
}

function compare(left: string, right: string): number {
  return left < right ? -1 : left > right ? 1 : 0
}
