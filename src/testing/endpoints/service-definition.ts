/** Decoding and checking a service registration, with the real agent's messages. */
import type { NewCheck } from '../agent/local-state.js'
import {
  checkDecoder,
  checkKind,
  isEmptyCheck,
  validateCheck,
  isCheckStatus,
  type CheckSpec,
} from '../checks/check-spec.js'
import type { ApiRequest } from '../server/api-request.js'
import { ConnectionDropped, Refusal } from '../wire/reply.js'
import type { CheckDefinition, NamedPort, ServiceAddress, ServiceDefinition } from '../state/records.js'
import type { VersionProfile } from '../versions.js'
import { anything, flag, integer, isObject, list, map, object, text, type Decoder } from '../wire/go-decode.js'
import { formatGoDuration } from '../wire/go-duration.js'
import { checkServiceMeta } from './service-meta.js'

const ALIASES = {
  enable_tag_override: 'EnableTagOverride',
  tagged_addresses: 'TaggedAddresses',
  socket_path: 'SocketPath',
}

const decodeAddress = object({ Address: text, Port: integer }, { aliases: { address: 'Address', port: 'Port' } })
const decodeWeights = object({ Passing: integer, Warning: integer })
const decodePort = object({ Name: text, Port: integer, Default: flag })

const record: Decoder<Readonly<Record<string, unknown>> | undefined> = (value) => (isObject(value) ? value : undefined)

function shapeFor(profile: VersionProfile): typeof SHAPE {
  const check = checkDecoder(profile)
  // Go calls a method on a null entry of this list and panics.
  const checks = list((value: unknown, field: string) => {
    if (value === null) throw new ConnectionDropped()
    return check(value, field)
  })
  return { ...SHAPE, Check: (value, field) => (value === null ? undefined : check(value, field)), Checks: checks }
}

const noCheck: Decoder<CheckSpec | undefined> = () => undefined
const noChecks: Decoder<readonly CheckSpec[]> = () => []

const SHAPE = {
  ID: text,
  Name: text,
  Kind: text,
  Tags: list(text),
  Port: integer,
  Ports: list(decodePort),
  Address: text,
  TaggedAddresses: map(decodeAddress),
  Meta: map(text),
  EnableTagOverride: flag,
  Check: noCheck,
  Checks: noChecks,
  Weights: (value: unknown, field: string) => (value === null ? undefined : decodeWeights(value, field)),
  Token: text,
  Proxy: record,
  Connect: record,
  SocketPath: text,
  Locality: anything,
  Namespace: text,
  Partition: text,
  PeerName: text,
} as const

/** A registration, ready to be stored. */
export interface Registration {
  readonly definition: ServiceDefinition
  readonly checks: readonly NewCheck[]
  readonly token: string
}

/**
 * Reads a registration.
 * @throws Refusal 400 for what the real agent refuses; ConnectionDropped for what makes it panic.
 */
export function decodeRegistration(request: ApiRequest, profile: VersionProfile): Registration {
  const given = request.decode(object(shapeFor(profile), { aliases: ALIASES, unknown: profile.unknownServiceFields }))
  const name = given.Name ?? ''
  if (name === '') throw new Refusal(400, 'Missing service name')
  const address = given.Address ?? ''
  if (['0.0.0.0', '::', '[::]'].includes(address)) throw new Refusal(400, 'Invalid service address')
  checkServiceMeta(given.Meta ?? {})
  const ports = (given.Ports ?? []).map(({ Name = '', Port = 0, Default = false }) => ({ Name, Port, Default }))
  checkPorts(given.Port ?? 0, ports)
  const definition: ServiceDefinition = {
    id: given.ID === undefined || given.ID === '' ? name : given.ID,
    name,
    kind: given.Kind ?? '',
    tags: given.Tags ?? [],
    address,
    port: given.Port ?? 0,
    ports,
    taggedAddresses: taggedAddresses(given.TaggedAddresses ?? null, address, given.Port ?? 0),
    meta: given.Meta ?? null,
    weights: checkWeights(given.Weights),
    enableTagOverride: given.EnableTagOverride ?? false,
    socketPath: given.SocketPath ?? '',
    locality: given.Locality ?? undefined,
    proxy: given.Proxy,
    connect: given.Connect,
  }
  const token = request.token === '' ? (given.Token ?? '') : request.token
  const specs = [
    ...(given.Check === undefined || isEmptyCheck(given.Check) ? [] : [given.Check]),
    ...(given.Checks ?? []),
  ]
  for (const spec of specs) validateCheck(spec)
  refuseScripts(specs)
  const checks = specs.map((spec, at) => ({
    spec,
    token,
    definition: serviceCheck(spec, definition, specs.length > 1 ? at + 1 : 0),
  }))
  return { definition, checks: withoutRepeats(checks), token }
}

function taggedAddresses(
  given: Readonly<Record<string, { readonly Address?: string; readonly Port?: number }>> | null,
  address: string,
  port: number,
): Readonly<Record<string, ServiceAddress>> | null {
  const named = Object.entries(given ?? {}).map(([name, entry]): [string, ServiceAddress] => [
    name,
    { Address: entry.Address ?? '', Port: entry.Port ?? 0 },
  ])
  // An address that is an IP literal is known under the names of its family too.
  const family = /^\d+\.\d+\.\d+\.\d+$/.test(address)
    ? 'ipv4'
    : /^[0-9a-f:]*:[0-9a-f:]*$/i.test(address)
      ? 'ipv6'
      : undefined
  const automatic =
    family === undefined
      ? []
      : [`lan_${family}`, `wan_${family}`].map((name): [string, ServiceAddress] => [
          name,
          { Address: address, Port: port },
        ])
  const all = new Map([...automatic, ...named])
  return all.size === 0 ? null : Object.fromEntries([...all].sort(([left], [right]) => (left < right ? -1 : 1)))
}

function checkWeights(
  given: { readonly Passing?: number; readonly Warning?: number } | undefined,
): ServiceDefinition['weights'] {
  if (given === undefined) return { Passing: 1, Warning: 1 }
  const Passing = given.Passing ?? 0
  const Warning = given.Warning ?? 0
  if (Passing < 1) throw new Refusal(400, 'Invalid Weights: Passing must be greater than 0')
  if (Warning < 0) throw new Refusal(400, 'Invalid Weights: Warning must be greater or equal than 0')
  if (Passing > 65_535 || Warning > 65_535) {
    throw new Refusal(400, 'Invalid Weights: DNS Weight must be between 0 and 65535')
  }
  return { Passing, Warning }
}

function checkPorts(port: number, ports: readonly NamedPort[]): void {
  if (ports.length === 0) return
  if (port !== 0) throw new Refusal(400, 'Invalid service: Port and Ports are mutually exclusive')
  if (ports.some(({ Name }) => Name === ''))
    throw new Refusal(400, 'Invalid service: every entry of Ports needs a Name')
  if (new Set(ports.map(({ Name }) => Name)).size < ports.length) {
    throw new Refusal(400, 'Invalid service: names in Ports must be unique')
  }
  if (ports.filter(({ Default }) => Default).length > 1) {
    throw new Refusal(400, 'Invalid service: only one entry of Ports can be the default')
  }
}

/** Refuses checks that would run a program on the agent's machine. */
export function refuseScripts(specs: readonly CheckSpec[]): void {
  if (specs.some((spec) => checkKind(spec) === 'script' || checkKind(spec) === 'docker')) {
    throw new Refusal(
      500,
      "Scripts are disabled on this agent from remote calls; to enable, configure 'enable_script_checks' to true",
    )
  }
}

function serviceCheck(spec: CheckSpec, service: ServiceDefinition, position: number): CheckDefinition {
  const automaticId = position === 0 ? `service:${service.id}` : `service:${service.id}:${position}`
  return checkDefinitionOf(spec, {
    checkId: spec.CheckID === undefined || spec.CheckID === '' ? automaticId : spec.CheckID,
    name: spec.Name === undefined || spec.Name === '' ? `Service '${service.name}' check` : spec.Name,
    service,
  })
}

/** What is stored of a check. */
export function checkDefinitionOf(
  spec: CheckSpec,
  { checkId, name, service }: { checkId: string; name: string; service: ServiceDefinition | undefined },
): CheckDefinition {
  const status = spec.Status ?? ''
  return {
    checkId,
    name,
    status: isCheckStatus(status) ? status : 'critical',
    notes: spec.Notes ?? '',
    output: '',
    serviceId: service?.id ?? '',
    serviceName: service?.name ?? '',
    serviceTags: service?.tags ?? [],
    type: checkKind(spec),
    interval: spec.Interval === undefined || spec.Interval === 0 ? '' : formatGoDuration(spec.Interval),
    timeout: spec.Timeout === undefined || spec.Timeout === 0 ? '' : formatGoDuration(spec.Timeout),
    definition: {},
  }
}

/** Of checks with the same id, the last one counts. */
function withoutRepeats(checks: readonly NewCheck[]): readonly NewCheck[] {
  return [...new Map(checks.map((check) => [check.definition.checkId, check])).values()]
}
