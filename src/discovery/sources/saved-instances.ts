import { deepFreeze } from '../../core/deep-freeze.js'
import { isRecord } from '../../core/option-check.js'
import type { CheckStatus } from '../../api/health-entry.js'
import type { ServiceInstance } from '../service-instance.js'

/** The instances of a saved list, frozen; undefined when any of them is not what this program writes. */
export function savedInstances(value: unknown): readonly ServiceInstance[] | undefined {
  if (!Array.isArray(value)) return undefined
  const instances = value.map(savedInstance)
  return instances.every((instance) => instance !== undefined) ? deepFreeze(instances) : undefined
}

function savedInstance(value: unknown): ServiceInstance | undefined {
  if (!isRecord(value)) return undefined
  const { id, name, address, port, ports, tags, meta, weights, node, datacenter, status } = value
  if (!isText(id) || !isText(name) || !isText(address) || !isNumber(port)) return undefined
  if (!isText(node) || !isText(datacenter) || !isStatus(status)) return undefined
  if (!isMap(ports, isNumber) || !isMap(meta, isText) || !Array.isArray(tags) || !tags.every(isText)) return undefined
  if (!isRecord(weights) || !isNumber(weights['passing']) || !isNumber(weights['warning'])) return undefined
  const shares = { passing: weights['passing'], warning: weights['warning'] }
  return { id, name, address, port, ports, tags, meta, weights: shares, node, datacenter, status }
}

function isText(value: unknown): value is string {
  return typeof value === 'string'
}

function isNumber(value: unknown): value is number {
  return typeof value === 'number'
}

function isStatus(value: unknown): value is CheckStatus {
  return value === 'passing' || value === 'warning' || value === 'critical' || value === 'maintenance'
}

function isMap<T>(value: unknown, isEntry: (entry: unknown) => entry is T): value is Readonly<Record<string, T>> {
  return isRecord(value) && Object.values(value).every(isEntry)
}
