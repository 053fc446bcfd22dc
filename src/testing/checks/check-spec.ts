/** What a registration says of a check, decoded and validated with the real agent's messages. */
import { durationNs, flag, integer, list, map, object, text, type Decoded } from '../wire/go-decode.js'
import { Refusal } from '../wire/reply.js'
import type { CheckStatus } from '../state/records.js'
import type { VersionProfile } from '../versions.js'

/** The fields of a check inside a service registration. */
export const CHECK_SHAPE = {
  CheckID: text,
  Name: text,
  Status: text,
  Notes: text,
  ScriptArgs: list(text),
  HTTP: text,
  H2PING: text,
  H2PingUseTLS: flag,
  Header: map(list(text)),
  Method: text,
  Body: text,
  DisableRedirects: flag,
  TCP: text,
  UDP: text,
  OSService: text,
  Interval: durationNs,
  AliasNode: text,
  AliasService: text,
  DockerContainerID: text,
  Shell: text,
  GRPC: text,
  GRPCUseTLS: flag,
  TLSServerName: text,
  TLSSkipVerify: flag,
  Timeout: durationNs,
  TTL: durationNs,
  SuccessBeforePassing: integer,
  FailuresBeforeWarning: integer,
  FailuresBeforeCritical: integer,
  ProxyHTTP: text,
  ProxyGRPC: text,
  DeregisterCriticalServiceAfter: durationNs,
  OutputMaxSize: integer,
} as const

const ALIASES = {
  args: 'ScriptArgs',
  script_args: 'ScriptArgs',
  alias_node: 'AliasNode',
  alias_service: 'AliasService',
  docker_container_id: 'DockerContainerID',
  grpc_use_tls: 'GRPCUseTLS',
  tls_skip_verify: 'TLSSkipVerify',
  success_before_passing: 'SuccessBeforePassing',
  failures_before_critical: 'FailuresBeforeCritical',
  deregister_critical_service_after: 'DeregisterCriticalServiceAfter',
  output_max_size: 'OutputMaxSize',
}

/** A check as a registration gave it; what it did not name is undefined. */
export type CheckSpec = Decoded<typeof CHECK_SHAPE>

/** Decodes the check inside a service registration. */
export function checkDecoder(profile: VersionProfile): (value: unknown, field: string) => CheckSpec {
  return object(CHECK_SHAPE, { aliases: ALIASES, unknown: profile.unknownCheckFields })
}

/** Decodes the body of a check registration, which says `ID` where a service's check says `CheckID`. */
export function checkDefinitionDecoder(
  profile: VersionProfile,
): (value: unknown, field: string) => Decoded<typeof CHECK_SHAPE & typeof OWN_FIELDS> {
  return object(
    { ...CHECK_SHAPE, ...OWN_FIELDS },
    { aliases: { ...ALIASES, service_id: 'ServiceID' }, unknown: profile.unknownCheckFields },
  )
}

const OWN_FIELDS = { ID: text, ServiceID: text, Token: text, Namespace: text } as const

/** Whether a spec is `{}`, which stands for no check in the field `Check`. */
export function isEmptyCheck(spec: CheckSpec): boolean {
  return Object.values(spec).every((value) => value === '' || value === 0 || value === false || isEmptyList(value))
}

function isEmptyList(value: unknown): boolean {
  return value === null || value === undefined || (Array.isArray(value) && value.length === 0)
}

/** What makes a check run. */
export type CheckKind =
  'ttl' | 'http' | 'tcp' | 'grpc' | 'alias' | 'h2ping' | 'udp' | 'os_service' | 'script' | 'docker'

/** The kind of a spec. */
export function checkKind(spec: CheckSpec): CheckKind {
  if (spec.DockerContainerID) return 'docker'
  if (spec.ScriptArgs !== undefined && spec.ScriptArgs.length > 0) return 'script'
  if (spec.AliasNode || spec.AliasService) return 'alias'
  if (spec.HTTP) return 'http'
  if (spec.TCP) return 'tcp'
  if (spec.GRPC) return 'grpc'
  if (spec.H2PING) return 'h2ping'
  if (spec.UDP) return 'udp'
  if (spec.OSService) return 'os_service'
  return 'ttl'
}

/**
 * Refuses a check that the real agent refuses.
 * @throws Refusal 400 with the real agent's words.
 */
export function validateCheck(spec: CheckSpec): void {
  const problem = problemOf(spec)
  if (problem !== undefined) throw new Refusal(400, `Invalid check: ${problem}`)
  if (spec.Status !== undefined && spec.Status !== '' && !isCheckStatus(spec.Status)) {
    throw new Refusal(400, "Status for checks must 'passing', 'warning', 'critical'")
  }
}

function problemOf(spec: CheckSpec): string | undefined {
  const kind = checkKind(spec)
  const interval = spec.Interval ?? 0
  const ttl = spec.TTL ?? 0
  if (interval > 0 && ttl > 0) return 'Interval and TTL cannot both be specified'
  if (kind === 'alias') {
    if (interval > 0) return 'Interval cannot be set for Alias checks'
    return ttl > 0 ? 'TTL must be not be set for Alias checks' : undefined
  }
  if (kind !== 'ttl' && interval <= 0) return 'Interval must be > 0 for Script, HTTP, or TCP checks'
  if (kind === 'ttl' && ttl <= 0) return 'TTL must be > 0 for TTL checks'
  return (spec.OutputMaxSize ?? 0) < 0 ? 'MaxOutputMaxSize must be positive' : undefined
}

/** Whether a text is one of the three states. */
export function isCheckStatus(value: string): value is CheckStatus {
  return value === 'passing' || value === 'warning' || value === 'critical'
}
