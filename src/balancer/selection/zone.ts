import { checkObject, checkString } from '../../core/option-check.js'
import type { ServiceInstance } from '../../instances/service-instance.js'

/** Where this process is: its calls stay there as long as enough instances there can take them. */
export interface ZoneOptions {
  /** Name of the entry of `instance.meta` that holds an instance's zone. */
  readonly key: string
  /** The zone of this process. */
  readonly value: string
}

/** @throws ProconsulError `PROCONSUL_INVALID_OPTION` */
export function resolveZone(zone: unknown): ZoneOptions {
  const { key, value } = checkObject('zone', zone, ['key', 'value'])
  return Object.freeze({ key: checkString('zone.key', key), value: checkString('zone.value', value) })
}

/** Whether an instance is in the zone. */
export function isInZone({ key, value }: ZoneOptions, { meta }: ServiceInstance): boolean {
  return Object.hasOwn(meta, key) && meta[key] === value
}
