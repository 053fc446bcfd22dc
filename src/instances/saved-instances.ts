import { deepFreeze } from '../core/deep-freeze.js'
import { isRecord } from '../core/option-check.js'
import { weightOf, type InstanceStatus, type ServiceInstance } from './service-instance.js'

/** What a cache file holds. */
export interface SavedInstances {
  /** Label of the source that the list came from. */
  readonly servedBy: string
  readonly instances: readonly ServiceInstance[]
}

/** The version of the shape of {@link SavedInstances}. */
export const SAVED_VERSION = 2

/** A saved list, frozen; undefined when it is not what this program writes. */
export function savedInstances(value: unknown): SavedInstances | undefined {
  if (!isRecord(value) || !isText(value['servedBy']) || !Array.isArray(value['instances'])) return undefined
  const instances = value['instances'].map(savedInstance)
  if (!instances.every((instance) => instance !== undefined)) return undefined
  return deepFreeze({ servedBy: value['servedBy'], instances })
}

function savedInstance(value: unknown): ServiceInstance | undefined {
  if (!isRecord(value)) return undefined
  const { id, name, address, port, ports, taggedAddresses, tags, meta, weights, node, datacenter, status } = value
  if (!isText(id) || !isText(name) || !isText(address) || !isNumber(port)) return undefined
  if (!isText(node) || !isText(datacenter) || !isStatus(status)) return undefined
  if (!isMap(ports, isNumber) || !isMap(meta, isText) || !Array.isArray(tags) || !tags.every(isText)) return undefined
  if (!isMap(taggedAddresses, isAddress) || !isWeights(weights)) return undefined
  const rest = { id, name, address, port, ports, taggedAddresses, tags, meta, weights, node, datacenter, status }
  return { ...rest, weight: weightOf(rest) }
}

function isText(value: unknown): value is string {
  return typeof value === 'string'
}

function isNumber(value: unknown): value is number {
  return typeof value === 'number'
}

function isStatus(value: unknown): value is InstanceStatus {
  return value === 'passing' || value === 'warning' || value === 'critical' || value === 'maintenance'
}

function isAddress(value: unknown): value is ServiceInstance['taggedAddresses'][string] {
  return isRecord(value) && isText(value['address']) && isNumber(value['port'])
}

function isWeights(value: unknown): value is ServiceInstance['weights'] {
  return isRecord(value) && isNumber(value['passing']) && isNumber(value['warning'])
}

function isMap<T>(value: unknown, isEntry: (entry: unknown) => entry is T): value is Readonly<Record<string, T>> {
  return isRecord(value) && Object.values(value).every(isEntry)
}
