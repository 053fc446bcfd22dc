import { deepFreeze } from '../core/deep-freeze.js'
import { sameList, sameMap, sameSet } from '../core/equal.js'
import {
  checkInteger,
  checkObject,
  checkOneOf,
  checkString,
  checkStringMap,
  checkStrings,
  isRecord,
} from '../core/option-check.js'

/** How an instance is: the worst of its checks and of its node's, or `maintenance` when either was put into maintenance. */
export type InstanceStatus = 'passing' | 'warning' | 'critical' | 'maintenance'

/** One instance of a service, ready to be called. Frozen; the same object from snapshot to snapshot as long as nothing in it changes. */
export interface ServiceInstance {
  /** Unique on its node only: two nodes may each have a `web-1`. */
  readonly id: string
  readonly name: string
  /** The service's own address, or its node's where it has none. Without brackets, also for IPv6: `instanceUrl` sets them. */
  readonly address: string
  /** The port that the query asked for, else the service's own, else the default one of `ports`. 0 when there is none. */
  readonly port: number
  /** Every named port (Consul 1.22 and later); empty for a service with a single port. */
  readonly ports: Readonly<Record<string, number>>
  /** Addresses under which it is reached from elsewhere, such as `wan`. */
  readonly taggedAddresses: Readonly<Record<string, { readonly address: string; readonly port: number }>>
  readonly tags: readonly string[]
  /** What its owner registered; entries that this package adds (`proconsul-…`) are left out. */
  readonly meta: Readonly<Record<string, string>>
  /** Its share of the calls in each status, as registered. */
  readonly weights: { readonly passing: number; readonly warning: number }
  /** Its share of the calls now, compared with others: the weight of its status. 0 when it is critical or in maintenance. */
  readonly weight: number
  /** Name of the node. Empty in a registry without nodes. */
  readonly node: string
  /** Empty in a registry without datacenters. */
  readonly datacenter: string
  readonly status: InstanceStatus
}

/** What an instance has at least; {@link defineInstance} adds the rest. */
export type InstanceFields = Pick<ServiceInstance, 'id' | 'name' | 'address' | 'port'> &
  Partial<Omit<ServiceInstance, 'weight'>>

const STATUSES: readonly InstanceStatus[] = ['passing', 'warning', 'critical', 'maintenance']
const FIELDS: readonly (keyof ServiceInstance)[] = [
  'id',
  'name',
  'address',
  'port',
  'ports',
  'taggedAddresses',
  'tags',
  'meta',
  'weights',
  'weight',
  'node',
  'datacenter',
  'status',
]
const HIGHEST_PORT = 65_535
const HIGHEST_WEIGHT = 65_535
const NO_TAGS: readonly string[] = Object.freeze([])
const NO_ENTRIES = Object.freeze({})
const EQUAL_WEIGHTS = Object.freeze({ passing: 1, warning: 1 })

/**
 * A whole instance from its main fields, for sources of one's own. What is left out is as for a service that was registered without it:
 * no tags, no metadata, weights of 1, `passing`. The weight follows from status and weights. Frozen; the fields given are copied.
 * @throws ProconsulError `PROCONSUL_INVALID_OPTION`, naming the field
 */
export function defineInstance(fields: InstanceFields): ServiceInstance {
  return checkInstance('instance', '', fields)
}

/**
 * The same for what users' code handed over without a check of its types.
 * @param option what the value is called
 * @param prefix what stands before the name of a field
 */
export function checkInstance(option: string, prefix: string, value: unknown): ServiceInstance {
  const { ports, taggedAddresses, tags, meta, weights, ...fields } = checkObject(option, value, FIELDS)
  const instance = {
    id: checkString(`${prefix}id`, fields['id']),
    name: checkString(`${prefix}name`, fields['name']),
    address: checkString(`${prefix}address`, fields['address']),
    port: checkPort(`${prefix}port`, fields['port']),
    ports: ports === undefined ? NO_ENTRIES : checkMap(`${prefix}ports`, ports, checkPort),
    taggedAddresses:
      taggedAddresses === undefined ? NO_ENTRIES : checkMap(`${prefix}taggedAddresses`, taggedAddresses, checkAddress),
    tags: tags === undefined ? NO_TAGS : checkStrings(`${prefix}tags`, tags),
    meta: meta === undefined ? NO_ENTRIES : checkStringMap(`${prefix}meta`, meta),
    weights: weights === undefined ? EQUAL_WEIGHTS : checkWeights(`${prefix}weights`, weights),
    node: checkText(`${prefix}node`, fields['node'] ?? ''),
    datacenter: checkText(`${prefix}datacenter`, fields['datacenter'] ?? ''),
    status: checkOneOf(`${prefix}status`, fields['status'] ?? 'passing', STATUSES),
  }
  return deepFreeze({ ...instance, weight: weightOf(instance) })
}

/** The weight of a status. */
export function weightOf({ status, weights }: Pick<ServiceInstance, 'status' | 'weights'>): number {
  return status === 'passing' || status === 'warning' ? weights[status] : 0
}

/** What tells instances apart. */
export function instanceKey({ datacenter, node, id }: ServiceInstance): string {
  return `${datacenter}\n${node}\n${id}`
}

/** Whether two versions of an instance say the same. The order of tags means nothing. */
export function sameInstance(a: ServiceInstance, b: ServiceInstance): boolean {
  return (
    a.id === b.id &&
    a.status === b.status &&
    a.port === b.port &&
    a.address === b.address &&
    a.node === b.node &&
    a.datacenter === b.datacenter &&
    a.name === b.name &&
    a.weights.passing === b.weights.passing &&
    a.weights.warning === b.weights.warning &&
    (sameList(a.tags, b.tags) || sameSet(a.tags, b.tags)) &&
    sameMap(a.meta, b.meta) &&
    sameMap(a.ports, b.ports) &&
    sameMap(
      a.taggedAddresses,
      b.taggedAddresses,
      (one, other) => one.address === other.address && one.port === other.port,
    )
  )
}

/** How lists of instances are compared. */
export const INSTANCE = Object.freeze({ key: instanceKey, same: sameInstance })

function checkPort(option: string, value: unknown): number {
  return checkInteger(option, value, 0, HIGHEST_PORT)
}

function checkText(option: string, value: unknown): string {
  return value === '' ? '' : checkString(option, value, 'a string')
}

function checkAddress(option: string, value: unknown): { readonly address: string; readonly port: number } {
  const { address, port } = checkObject(option, value, ['address', 'port'])
  return { address: checkString(`${option}.address`, address), port: checkPort(`${option}.port`, port) }
}

function checkWeights(option: string, value: unknown): ServiceInstance['weights'] {
  const { passing, warning } = checkObject(option, value, ['passing', 'warning'])
  return {
    passing: checkInteger(`${option}.passing`, passing, 0, HIGHEST_WEIGHT),
    warning: checkInteger(`${option}.warning`, warning, 0, HIGHEST_WEIGHT),
  }
}

function checkMap<T>(
  option: string,
  value: unknown,
  check: (option: string, value: unknown) => T,
): Readonly<Record<string, T>> {
  const names = isRecord(value) ? Object.keys(value) : []
  const map = checkObject(option, value, names)
  return Object.fromEntries(names.map((name) => [name, check(`${option}.${name}`, map[name])]))
}
