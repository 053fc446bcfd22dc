/** `/v1/txn`. See https://developer.hashicorp.com/consul/api-docs/txn. */
import type { AclView } from '../acl/acl-view.js'
import type { AgentNode } from '../agent/agent-node.js'
import { ApiRequest } from '../server/api-request.js'
import { checkScope, requireLeader } from '../server/query-endpoint.js'
import { ConnectionDropped, json, Refusal, type Reply } from '../wire/reply.js'
import type { Route } from '../server/router.js'
import { anything, list, object, text, unsigned, type Decoded } from '../wire/go-decode.js'
import { runKvOperation, type KvOperation } from './txn-kv.js'

/** The largest body, in bytes. */
const MAX_BODY_BYTES = 524_288

const KV_SHAPE = {
  Verb: text,
  Key: text,
  Value: text,
  Flags: unsigned,
  Index: unsigned,
  Session: text,
  Namespace: text,
} as const
const decodeOperation = object({
  KV: object(KV_SHAPE),
  Node: anything,
  Service: anything,
  Check: anything,
  Intention: anything,
})
// Go calls a method on a null entry and panics.
const decodeOperations = list((value: unknown, field: string) => {
  if (value === null) throw new ConnectionDropped()
  return decodeOperation(value, field)
}, 'api.TxnOps')

/** The verbs that change something. A transaction without any of these is a read, whatever its verbs are. */
const WRITE_VERBS = new Set(['set', 'cas', 'lock', 'unlock', 'delete', 'delete-cas', 'delete-tree'])

/** The route of transactions. */
export function txnRoutes(agent: AgentNode): readonly Route[] {
  return [{ path: '/v1/txn', methods: { PUT: (request) => run(agent, request) } }]
}

interface OperationError {
  readonly OpIndex: number
  readonly What: string
}

class TxnFailed extends Error {
  override readonly name = 'TxnFailed'
  readonly errors: readonly OperationError[]

  constructor(errors: readonly OperationError[]) {
    super('the transaction failed')
    this.errors = errors
  }
}

function run(agent: AgentNode, request: ApiRequest): Reply {
  const operations = decode(agent, request)
  checkScope(request, agent.cluster.datacenter)
  requireLeader(agent, request)
  const view = agent.view(request.token)
  const isRead = !operations.some(({ verb }) => WRITE_VERBS.has(verb))
  const early = operations.flatMap((operation, OpIndex) => {
    const What = refusalOf(operation, view)
    return What === undefined ? [] : [{ OpIndex, What }]
  })
  if (early.length > 0) return answer(isRead, null, early)
  const { store } = agent.cluster
  try {
    const results = store.apply((tx) => {
      const errors: OperationError[] = []
      const found = operations.flatMap((operation, OpIndex) => {
        const outcome = runKvOperation(store, tx, operation)
        if (typeof outcome === 'string') errors.push({ OpIndex, What: outcome })
        return typeof outcome === 'string'
          ? []
          : outcome.filter(({ key }) => view.authorizer.allows('key', key, 'read'))
      })
      if (errors.length > 0) throw new TxnFailed(errors)
      return found.map(({ json: shown }) => ({ KV: shown }))
    })
    return answer(isRead, results, null)
  } catch (error) {
    if (error instanceof TxnFailed) return answer(isRead, null, error.errors)
    throw error
  }
}

function answer(isRead: boolean, results: readonly object[] | null, errors: readonly OperationError[] | null): Reply {
  const body = { Results: results, Errors: errors }
  const status = errors === null ? 200 : 409
  if (!isRead) return json(body, {}, status)
  const meta = { Index: 0, LastContact: 0, KnownLeader: true, ConsistencyLevel: '' }
  return json({ ...body, ...meta }, { 'X-Consul-Knownleader': 'true', 'X-Consul-Lastcontact': '0' }, status)
}

/** What keeps an operation from being tried at all. */
function refusalOf(operation: KvOperation, view: AclView): string | undefined {
  if (operation.key === '' && operation.verb !== 'get-tree' && operation.verb !== 'delete-tree')
    return 'Must provide key'
  if (!WRITE_VERBS.has(operation.verb)) {
    // What may not be read looks as if it were not there.
    if (view.authorizer.allows('key', operation.key, 'read') || operation.verb === 'get-tree') return undefined
    return operation.verb === 'get' ? `key "${operation.key}" doesn't exist` : 'Permission denied'
  }
  const isAllowed =
    operation.verb === 'delete-tree'
      ? view.authorizer.allowsTree(operation.key)
      : view.authorizer.allows('key', operation.key, 'write')
  return isAllowed ? undefined : 'Permission denied'
}

function decode(agent: AgentNode, request: ApiRequest): readonly KvOperation[] {
  if (request.body.length > MAX_BODY_BYTES) {
    const page = agent.profile.valueLimitPage.replace('kv_max_value_size', 'txn_max_req_len')
    throw new Refusal(
      413,
      `Request body(${request.body.length} bytes) too large, max size: ${MAX_BODY_BYTES} bytes. See ${page}.`,
      { Connection: 'close' },
    )
  }
  const decoded = quoteLargeNumbers(request).decode(decodeOperations, 'Failed to parse body: ')
  const limit = agent.profile.txnMaxOperations
  if (decoded.length > limit) {
    throw new Refusal(413, `Transaction contains too many operations (${decoded.length} > ${limit})`)
  }
  return decoded.flatMap(({ KV, Node, Service, Check }) => {
    if (Node !== undefined || Service !== undefined || Check !== undefined) {
      throw new Refusal(501, 'the embedded agent runs transactions over keys only')
    }
    return KV === undefined ? [] : [toOperation(KV)]
  })
}

/** JSON.parse loses digits of numbers beyond 2^53; in quotes they are kept. */
function quoteLargeNumbers(request: ApiRequest): ApiRequest {
  const source = request.body.toString('utf8')
  if (!/\d{16}/.test(source)) return request
  const body = Buffer.from(source.replace(/("(?:Flags|Index)"\s*:\s*)(\d{16,})/gi, '$1"$2"'), 'utf8')
  const { method, path, query, headers } = request
  return new ApiRequest({ method, path, query, headers, body }, path)
}

function toOperation(given: Decoded<typeof KV_SHAPE>): KvOperation {
  const value = given.Value ?? ''
  if (!/^[A-Za-z0-9+/]*={0,2}$/.test(value) || value.length % 4 !== 0) {
    const at = Math.max(0, value.search(/[^A-Za-z0-9+/]/))
    throw new Refusal(400, `Failed to parse body: illegal base64 data at input byte ${at}`)
  }
  return {
    verb: given.Verb ?? '',
    key: given.Key ?? '',
    value: Buffer.from(value, 'base64'),
    flags: given.Flags ?? 0n,
    index: given.Index ?? 0n,
    session: given.Session ?? '',
  }
}
