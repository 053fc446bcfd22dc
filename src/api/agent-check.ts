import { checkObject, checkString } from '../core/option-check.js'
import { isProconsulError } from '../errors/proconsul-error.js'
import type { HttpClient } from '../http/request.js'
import { goDuration } from './go-duration.js'
import { checkEntry, type CheckEntry, type WireCheck } from './health-entry.js'
import { knownOptions, REQUEST_OPTIONS, type RequestOptions } from './options.js'
import { path } from './path.js'
import { read, write } from './send.js'
import { mapOf } from './wire.js'

/** A status that a check can be given. */
export type SettableStatus = 'passing' | 'warning' | 'critical'

/** What every kind of check has. Only what is set is sent: agents refuse fields that they do not know. */
export interface CheckBase {
  readonly id: string
  readonly name: string
  readonly notes?: string | undefined
  /** Counts only for a check that is new to the agent; an existing one keeps its status. Consul's default is critical. */
  readonly status?: SettableStatus | undefined
  readonly deregisterCriticalServiceAfterMs?: number | undefined
  /** Passes in a row until the check counts as passing. */
  readonly successBeforePassing?: number | undefined
  /** Failures in a row until the check counts as critical. */
  readonly failuresBeforeCritical?: number | undefined
}

/** A check that the agent carries out itself, again and again. */
export interface CheckSchedule {
  readonly intervalMs: number
  readonly timeoutMs?: number | undefined
}

/** A check as the agent is told of it (https://developer.hashicorp.com/consul/api-docs/agent/check). */
export type CheckRegistration = CheckBase &
  (
    | { readonly type: 'ttl'; readonly ttlMs: number }
    | ({
        readonly type: 'http'
        readonly url: string
        readonly method?: string | undefined
        readonly headers?: Readonly<Record<string, readonly string[]>> | undefined
        readonly body?: string | undefined
        readonly tlsSkipVerify?: boolean | undefined
      } & CheckSchedule)
    | ({ readonly type: 'tcp'; readonly address: string } & CheckSchedule)
    | ({
        readonly type: 'grpc'
        readonly address: string
        readonly useTls?: boolean | undefined
        readonly tlsSkipVerify?: boolean | undefined
      } & CheckSchedule)
    | { readonly type: 'alias'; readonly service?: string | undefined; readonly node?: string | undefined }
  )

const CHECK_FIELDS: readonly string[] = [
  'id',
  'name',
  'notes',
  'status',
  'deregisterCriticalServiceAfterMs',
  'successBeforePassing',
  'failuresBeforeCritical',
  'type',
  'ttlMs',
  'intervalMs',
  'timeoutMs',
  'url',
  'method',
  'headers',
  'body',
  'tlsSkipVerify',
  'address',
  'useTls',
  'service',
  'node',
] satisfies readonly FieldOf<CheckRegistration>[]

const LIST_OPTIONS = [...REQUEST_OPTIONS, 'filter'] as const
const REGISTER_OPTIONS = [...REQUEST_OPTIONS, 'serviceId'] as const

type FieldOf<Union> = Union extends unknown ? keyof Union : never

/** The checks of this agent (https://developer.hashicorp.com/consul/api-docs/agent/check). */
export class AgentCheckApi {
  readonly #http: HttpClient

  constructor(http: HttpClient) {
    this.#http = http
  }

  /** The checks registered with this agent, those of nodes and services, by id. */
  async list(options: RequestOptions & { readonly filter?: string | undefined } = {}): Promise<readonly CheckEntry[]> {
    const known = knownOptions('agent.checks.list', options, LIST_OPTIONS)
    const answer = await read(this.#http, 'agent.checks', '/agent/checks', known)
    return Object.values(mapOf<WireCheck>(answer)).map(checkEntry)
  }

  /** Adds a check to the node, or to a service where `serviceId` names one. */
  async register(
    check: CheckRegistration,
    options: RequestOptions & { readonly serviceId?: string | undefined } = {},
  ): Promise<void> {
    const { serviceId, ...rest } = knownOptions('agent.checks.register', options, REGISTER_OPTIONS)
    const { CheckID, ...fields } = wireCheck(check)
    const body = { ID: CheckID, ...fields, ...present({ ServiceID: serviceId }) }
    await write(this.#http, 'agent.check.register', '/agent/check/register', rest, { body, idempotent: true })
  }

  /** Removes a check. One that is not there is fine. */
  async deregister(id: string, options: RequestOptions = {}): Promise<void> {
    const at = path`/agent/check/deregister/${checkString('id', id)}`
    const known = knownOptions('agent.checks.deregister', options, REQUEST_OPTIONS)
    await orUnknown(write(this.#http, 'agent.check.deregister', at, known, { idempotent: true }))
  }

  /** Passes a TTL check. */
  async pass(id: string, note?: string, options: RequestOptions = {}): Promise<void> {
    await this.#mark('pass', id, note, options)
  }

  /** Sets a TTL check to warning. */
  async warn(id: string, note?: string, options: RequestOptions = {}): Promise<void> {
    await this.#mark('warn', id, note, options)
  }

  /** Sets a TTL check to critical. */
  async fail(id: string, note?: string, options: RequestOptions = {}): Promise<void> {
    await this.#mark('fail', id, note, options)
  }

  /**
   * Sets a TTL check's status and output, and starts its time anew. The agent keeps the first 4096 bytes of the output.
   * @throws ProconsulError `PROCONSUL_NOT_FOUND` when the agent does not know the check, whatever its version calls that.
   */
  async update(id: string, status: SettableStatus, output = '', options: RequestOptions = {}): Promise<void> {
    const body = { Status: status, Output: output }
    const at = path`/agent/check/update/${checkString('id', id)}`
    const known = knownOptions('agent.checks.update', options, REQUEST_OPTIONS)
    await write(this.#http, 'agent.check.update', at, known, { body, vital: true, idempotent: true })
  }

  async #mark(verb: string, id: string, note: string | undefined, options: RequestOptions): Promise<void> {
    const at = path`/agent/check/${verb}/${checkString('id', id)}`
    const known = knownOptions(`agent.checks.${verb}`, options, REQUEST_OPTIONS)
    await write(this.#http, `agent.check.${verb}`, at, known, { query: { note }, idempotent: true })
  }
}

/** A deregistration of something that the agent does not know has reached its aim. */
export async function orUnknown(work: Promise<unknown>): Promise<void> {
  try {
    await work
  } catch (error) {
    if (!isProconsulError(error, 'PROCONSUL_NOT_FOUND')) throw error
  }
}

/** The JSON of a check inside a service. */
export function wireCheck(check: CheckRegistration): Readonly<Record<string, unknown>> {
  checkObject('check', check, CHECK_FIELDS)
  return {
    CheckID: check.id,
    Name: check.name,
    ...present({
      Notes: check.notes,
      Status: check.status,
      DeregisterCriticalServiceAfter: duration(check.deregisterCriticalServiceAfterMs),
      SuccessBeforePassing: check.successBeforePassing,
      FailuresBeforeCritical: check.failuresBeforeCritical,
    }),
    ...present(kindOf(check)),
  }
}

function kindOf(check: CheckRegistration): Readonly<Record<string, unknown>> {
  switch (check.type) {
    case 'ttl':
      return { TTL: goDuration(check.ttlMs) }
    case 'http':
      return {
        HTTP: check.url,
        Method: check.method,
        Header: check.headers,
        Body: check.body,
        TLSSkipVerify: check.tlsSkipVerify,
        ...schedule(check),
      }
    case 'tcp':
      return { TCP: check.address, ...schedule(check) }
    case 'grpc':
      return {
        GRPC: check.address,
        GRPCUseTLS: check.useTls,
        TLSSkipVerify: check.tlsSkipVerify,
        ...schedule(check),
      }
    case 'alias':
      return { AliasService: check.service, AliasNode: check.node }
  }
}

function schedule({ intervalMs, timeoutMs }: CheckSchedule): Readonly<Record<string, unknown>> {
  return { Interval: goDuration(intervalMs), Timeout: duration(timeoutMs) }
}

function duration(valueMs: number | undefined): string | undefined {
  return valueMs === undefined ? undefined : goDuration(valueMs)
}

/** The entries that are set. */
export function present(fields: Readonly<Record<string, unknown>>): Readonly<Record<string, unknown>> {
  return Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== undefined))
}
