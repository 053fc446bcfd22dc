import { checkObject } from '../../core/option-check.js'
import { invalidOption } from '../../errors/invalid-option.js'
import { BOOT_KEY } from '../identity/boot.js'
import { resolveDefinition, type ResolvedDefinition } from './resolve-definition.js'
import type { ServiceDefinition, ServiceUpdate } from './service-definition.js'

const UPDATABLE = ['tags', 'meta', 'weights', 'port', 'address', 'taggedAddresses', 'check', 'checks']

/**
 * The definition with a change applied, as it is written and as it is decided. Identity, probes and heartbeats stay.
 * @throws ProconsulError `PROCONSUL_INVALID_OPTION`
 */
export function resolveUpdate(
  current: ServiceDefinition,
  resolved: ResolvedDefinition,
  update: ServiceUpdate,
): { readonly definition: ServiceDefinition; readonly resolved: ResolvedDefinition } {
  checkObject('update', update, UPDATABLE)
  const { check, checks, ...rest } = current
  const replacesChecks = update.check !== undefined || update.checks !== undefined
  const oldChecks = { ...(check !== undefined && { check }), ...(checks !== undefined && { checks }) }
  const given = Object.fromEntries(Object.entries(update).filter(([, value]) => value !== undefined))
  const definition = { ...rest, ...(!replacesChecks && oldChecks), ...given, name: current.name }
  const next = resolveDefinition(definition, { hostname: '', boot: resolved.service.meta?.[BOOT_KEY] ?? '' })
  if (next.ttl?.checkId !== resolved.ttl?.checkId || next.ttl?.ttlMs !== resolved.ttl?.ttlMs) {
    throw invalidOption('check', update.check ?? update.checks, 'checks that leave the TTL check as it is')
  }
  return { definition, resolved: { ...next, probes: resolved.probes } }
}
