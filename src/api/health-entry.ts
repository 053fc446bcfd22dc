import { parseGoDuration } from './go-duration.js'
import type { WireList, WireMap } from './wire.js'

/** Nodes, services and checks as the health and catalog endpoints describe them, on the wire and outside. */

/** A status of a check, or the worst of several. */
export type CheckStatus = 'passing' | 'warning' | 'critical' | 'maintenance'

/** A machine, or whatever runs an agent. */
export interface NodeEntry {
  /** Empty for a node that was registered without an agent. */
  readonly id: string
  readonly name: string
  readonly address: string
  readonly datacenter: string
  readonly taggedAddresses: Readonly<Record<string, string>>
  readonly meta: Readonly<Record<string, string>>
}

/** One port of a service with several (Consul 1.22 and later). */
export interface ServicePort {
  readonly name: string
  readonly port: number
  readonly isDefault: boolean
}

/** An address under which a service is reached from elsewhere. */
export interface TaggedAddress {
  readonly address: string
  readonly port: number
}

/** One registered instance of a service. */
export interface ServiceRecord {
  readonly id: string
  readonly name: string
  /** Empty when the service is reached at its node's address. */
  readonly address: string
  /** 0 when there is none, or when `ports` names them. */
  readonly port: number
  readonly ports: readonly ServicePort[]
  readonly tags: readonly string[]
  readonly meta: Readonly<Record<string, string>>
  readonly weights: { readonly passing: number; readonly warning: number }
  readonly taggedAddresses: Readonly<Record<string, TaggedAddress>>
  /** Whether others may change the tags in the catalog without the agent setting them back. */
  readonly enableTagOverride: boolean
  /** Empty for a plain service; `connect-proxy` and the like. */
  readonly kind: string
  readonly createIndex: number
  readonly modifyIndex: number
}

/** One health check. */
export interface CheckEntry {
  readonly node: string
  readonly id: string
  readonly name: string
  readonly status: Exclude<CheckStatus, 'maintenance'>
  readonly notes: string
  readonly output: string
  /** Empty for a check of the node. */
  readonly serviceId: string
  readonly serviceName: string
  readonly serviceTags: readonly string[]
  /** `ttl`, `http`, `maintenance` and the like; empty for the check of the node's agent. */
  readonly type: string
  /** How often the agent carries it out, in milliseconds. Undefined for other kinds, and from agents that do not tell. */
  readonly intervalMs?: number | undefined
  /** How long the agent waits for a result, in milliseconds. Undefined where none was set, and from agents that do not tell. */
  readonly timeoutMs?: number | undefined
  readonly createIndex: number
  readonly modifyIndex: number
}

/** One instance with its node and every check that concerns it. */
export interface ServiceEntry {
  readonly node: NodeEntry
  readonly service: ServiceRecord
  readonly checks: readonly CheckEntry[]
}

export interface WireNode {
  readonly ID?: string | null
  readonly Node?: string | null
  readonly Address?: string | null
  readonly Datacenter?: string | null
  readonly TaggedAddresses?: WireMap<string>
  readonly Meta?: WireMap<string>
}

export interface WirePort {
  readonly Name?: string | null
  readonly Port?: number | null
  readonly Default?: boolean | null
}

export interface WireTaggedAddress {
  readonly Address?: string | null
  readonly Port?: number | null
}

export interface WireWeights {
  readonly Passing?: number | null
  readonly Warning?: number | null
}

export interface WireService {
  readonly ID?: string | null
  readonly Service?: string | null
  readonly Address?: string | null
  readonly Port?: number | null
  readonly Ports?: WireList<WirePort>
  readonly Tags?: WireList<string>
  readonly Meta?: WireMap<string>
  readonly Weights?: WireWeights | null
  readonly TaggedAddresses?: WireMap<WireTaggedAddress>
  readonly EnableTagOverride?: boolean | null
  readonly Kind?: string | null
  readonly CreateIndex?: number | null
  readonly ModifyIndex?: number | null
}

export interface WireCheck {
  readonly Node?: string | null
  readonly CheckID?: string | null
  readonly Name?: string | null
  readonly Status?: string | null
  readonly Notes?: string | null
  readonly Output?: string | null
  readonly ServiceID?: string | null
  readonly ServiceName?: string | null
  readonly ServiceTags?: WireList<string>
  readonly Type?: string | null
  readonly Interval?: string | null
  readonly Timeout?: string | null
  readonly CreateIndex?: number | null
  readonly ModifyIndex?: number | null
}

export interface WireServiceEntry {
  readonly Node?: WireNode | null
  readonly Service?: WireService | null
  readonly Checks?: WireList<WireCheck>
}

export function serviceEntry(wire: WireServiceEntry): ServiceEntry {
  return {
    node: nodeEntry(wire.Node ?? {}),
    service: serviceRecord(wire.Service ?? {}),
    checks: (wire.Checks ?? []).map(checkEntry),
  }
}

export function nodeEntry(wire: WireNode): NodeEntry {
  return {
    id: wire.ID ?? '',
    name: wire.Node ?? '',
    address: wire.Address ?? '',
    datacenter: wire.Datacenter ?? '',
    taggedAddresses: wire.TaggedAddresses ?? {},
    meta: wire.Meta ?? {},
  }
}

export function serviceRecord(wire: WireService): ServiceRecord {
  return {
    id: wire.ID ?? '',
    name: wire.Service ?? '',
    address: wire.Address ?? '',
    port: wire.Port ?? 0,
    ports: (wire.Ports ?? []).map(servicePort),
    tags: wire.Tags ?? [],
    meta: wire.Meta ?? {},
    weights: weights(wire.Weights),
    taggedAddresses: taggedAddresses(wire.TaggedAddresses),
    enableTagOverride: wire.EnableTagOverride ?? false,
    kind: wire.Kind ?? '',
    createIndex: wire.CreateIndex ?? 0,
    modifyIndex: wire.ModifyIndex ?? 0,
  }
}

export function checkEntry(wire: WireCheck): CheckEntry {
  return {
    node: wire.Node ?? '',
    id: wire.CheckID ?? '',
    name: wire.Name ?? '',
    status: checkStatus(wire.Status),
    notes: wire.Notes ?? '',
    output: wire.Output ?? '',
    serviceId: wire.ServiceID ?? '',
    serviceName: wire.ServiceName ?? '',
    serviceTags: wire.ServiceTags ?? [],
    type: wire.Type ?? '',
    intervalMs: checkDuration(wire.Interval),
    timeoutMs: checkDuration(wire.Timeout),
    createIndex: wire.CreateIndex ?? 0,
    modifyIndex: wire.ModifyIndex ?? 0,
  }
}

export function servicePort(wire: WirePort): ServicePort {
  return { name: wire.Name ?? '', port: wire.Port ?? 0, isDefault: wire.Default ?? false }
}

/** Agents from before weights existed leave them out; Consul counts that as one each. Shared by the many services that set none. */
const EVEN_WEIGHTS: ServiceRecord['weights'] = Object.freeze({ passing: 1, warning: 1 })

export function weights(wire: WireWeights | null | undefined): ServiceRecord['weights'] {
  const { Passing: passing, Warning: warning } = wire ?? {}
  return (passing ?? 1) === 1 && (warning ?? 1) === 1 ? EVEN_WEIGHTS : { passing: passing ?? 1, warning: warning ?? 1 }
}

export function taggedAddresses(wire: WireMap<WireTaggedAddress>): ServiceRecord['taggedAddresses'] {
  const entries = Object.entries(wire ?? {})
  return Object.fromEntries(entries.map(([tag, at]) => [tag, { address: at.Address ?? '', port: at.Port ?? 0 }]))
}

/** Agents that tell write `""` or `0s` for what was not set. */
function checkDuration(text: string | null | undefined): number | undefined {
  if (text === undefined || text === null || text === '') return undefined
  const valueMs = parseGoDuration(text)
  return valueMs === 0 ? undefined : valueMs
}

/** A status that this version does not know counts as the worst. */
function checkStatus(status: string | null | undefined): CheckEntry['status'] {
  return status === 'passing' || status === 'warning' ? status : 'critical'
}
