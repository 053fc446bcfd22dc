import { checkObject } from '../../core/option-check.js'
import { BOOT_KEY } from '../identity/boot.js'
import { checksAfterUpdate } from './resolve-checks.js'
import { resolveDefinition, type ResolvedDefinition } from './resolve-definition.js'
import type { ServiceDefinition, ServiceUpdate } from './service-definition.js'

const UPDATABLE = ['tags', 'meta', 'weights', 'port', 'address', 'taggedAddresses', 'check', 'checks']

/**
 * The definition with a change applied, as it is written and as it is decided. Identity and the way of heartbeats stay.
 * @throws ProconsulError `PROCONSUL_INVALID_OPTION`
 */
export function resolveUpdate(
  current: ServiceDefinition,
  resolved: ResolvedDefinition,
  update: ServiceUpdate,
): { readonly definition: ServiceDefinition; readonly resolved: ResolvedDefinition } {
  checkObject('update', update, UPDATABLE)
  const { check, checks, ...rest } = current
  const given = Object.fromEntries(Object.entries(update).filter(([, value]) => value !== undefined))
  const isOfChecks = update.check !== undefined || update.checks !== undefined
  const ownChecks = { ...(check !== undefined && { check }), ...(checks !== undefined && { checks }) }
  const newChecks = isOfChecks ? checksAfterUpdate(ownChecks, update) : ownChecks
  // Weights that are set by hand end the ramp, and may be too low for one.
  const slowStart = update.weights === undefined ? current.slowStart : undefined
  const definition = { ...rest, ...given, ...newChecks, name: current.name, slowStart }
  const next = resolveDefinition(definition, { hostname: '', boot: resolved.service.meta?.[BOOT_KEY] ?? '' })
  return { definition, resolved: next }
}
