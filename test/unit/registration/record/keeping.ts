import type { SettableStatus } from '../../../../src/api/agent-check.js'
import { checkEntry, serviceRecord } from '../../../../src/api/health-entry.js'
import type { HttpRequest } from '../../../../src/http/request.js'
import { resolveDefinition } from '../../../../src/registration/definition/resolve-definition.js'
import type { ServiceDefinition } from '../../../../src/registration/definition/service-definition.js'
import { formatBoot } from '../../../../src/registration/identity/boot.js'
import { ConsulRecord } from '../../../../src/registration/record/consul-record.js'
import type { Replacement } from '../../../../src/registration/record/record.js'
import { metaOf, OWN, playedParts } from '../played-agent.js'

export const HTTP = { type: 'http', url: 'http://10.0.0.1/', id: 'h', name: 'h' } as const
export const TCP = { type: 'tcp', address: '10.0.0.1:80', id: 'h', name: 'h' } as const
export const WEB: ServiceDefinition = { name: 'web', id: 'w', port: 80, checks: [{ id: 't', name: 't' }, HTTP] }
/** What the agent shows of it. */
export const RECORD = { ID: 'w', Service: 'web', Port: 80, Meta: metaOf(OWN) }
export const CHECKS = {
  t: { CheckID: 't', Name: 't', ServiceID: 'w', Type: 'ttl', Status: 'passing' },
  h: { CheckID: 'h', Name: 'h', ServiceID: 'w', Type: 'http', Status: 'warning' },
}

export function resolve(definition: ServiceDefinition) {
  return resolveDefinition(definition, { hostname: 'here', boot: formatBoot(OWN) })
}

/** A record of one service on a played agent. */
export function keeping(definition: ServiceDefinition = WEB) {
  const { played: agent, ...parts } = playedParts()
  const observe = () => () => undefined
  const record = new ConsulRecord(resolve(definition), OWN, { ...parts, observe })
  const { signal } = new AbortController()
  const judge = (shown: object = RECORD, checks: object = CHECKS) =>
    record.judge(serviceRecord(shown), Object.values(checks).map(checkEntry))
  const put = (status: SettableStatus, weight?: number): Promise<void> => record.put({ status, weight }, signal)
  return { ...parts, agent, record, signal, judge, put }
}

/** How a definition is replaced: the status of a TTL check, and of others that are new. */
export function as(status: SettableStatus, fresh: SettableStatus, more: Partial<Replacement> = {}): Replacement {
  return { status, fresh, onTaken: () => Promise.resolve(), ...more }
}

/** Ids and statuses of the checks in a registration. */
export function statuses(request: HttpRequest | undefined): unknown {
  const { Checks } = request?.body as { readonly Checks: readonly { CheckID: string; Status?: string }[] }
  return Object.fromEntries(Checks.map(({ CheckID, Status }) => [CheckID, Status]))
}

/** What was written, such as `register` and `check h`, in order. */
export function writes(requests: readonly HttpRequest[]): readonly string[] {
  return requests
    .filter(({ method }) => method === 'PUT')
    .map(({ operation, path }) =>
      operation === 'agent.check.deregister' ? `check ${path.split('/').at(-1)}` : (operation.split('.').at(-1) ?? ''),
    )
}
