import { checkBoolean, checkObject, checkOneOf, checkString } from '../core/option-check.js'
import { invalidOption } from '../errors/invalid-option.js'
import type { EmptyReason, InstanceList } from './instance-source.js'
import { checkInstance, instanceKey, sameInstance, type ServiceInstance } from './service-instance.js'

const FIELDS: readonly (keyof InstanceList)[] = [
  'instances',
  'confirmedAt',
  'revision',
  'isContinuous',
  'isOrdered',
  'emptyReason',
]
const EMPTY_REASONS: readonly EmptyReason[] = [
  'not-registered',
  'none-passing',
  'none-matching',
  'filtered-by-acl',
  'no-leader',
]

/**
 * A list that users' code handed over, checked, copied and frozen. The same instance twice counts once.
 * @throws ProconsulError `PROCONSUL_INVALID_OPTION`, naming the field, such as `instances[2].port`
 */
export function checkInstanceList(value: unknown): InstanceList {
  const { confirmedAt, revision, isContinuous, isOrdered, emptyReason, ...rest } = checkObject('list', value, FIELDS)
  return Object.freeze({
    instances: checkInstances(rest['instances']),
    confirmedAt: checkTime(confirmedAt),
    revision: revision === undefined ? undefined : checkString('revision', revision),
    isContinuous: checkBoolean('isContinuous', isContinuous),
    isOrdered: isOrdered === undefined ? undefined : checkBoolean('isOrdered', isOrdered),
    emptyReason: emptyReason === undefined ? undefined : checkOneOf('emptyReason', emptyReason, EMPTY_REASONS),
  })
}

/**
 * The instances of a list that users' code handed over.
 * @throws ProconsulError `PROCONSUL_INVALID_OPTION`, naming the field
 */
export function checkInstances(value: unknown): readonly ServiceInstance[] {
  if (!Array.isArray(value)) throw invalidOption('instances', value, 'an array of instances')
  const byKey = new Map<string, ServiceInstance>()
  const given: readonly unknown[] = value
  for (const [index, fields] of given.entries()) {
    const instance = checkInstance(`instances[${index}]`, `instances[${index}].`, fields)
    const key = instanceKey(instance)
    const known = byKey.get(key)
    if (known !== undefined && !sameInstance(known, instance)) {
      throw invalidOption(`instances[${index}].id`, instance.id, 'an id that no other instance of its node has')
    }
    byKey.set(key, instance)
  }
  return Object.freeze([...byKey.values()])
}

function checkTime(value: unknown): number {
  if (typeof value !== 'number' || !Number.isFinite(value)) {
    throw invalidOption('confirmedAt', value, 'a time in milliseconds since the epoch, such as Date.now()')
  }
  return value
}
