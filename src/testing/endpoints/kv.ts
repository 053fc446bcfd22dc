/** `/v1/kv/…`. See https://developer.hashicorp.com/consul/api-docs/kv. */
import type { AgentNode } from '../agent/agent-node.js'
import type { ApiRequest } from '../server/api-request.js'
import { checkScope, KV_STYLE, QueryEndpoint, requireLeader } from '../server/query-endpoint.js'
import { json, Refusal, type Reply } from '../wire/reply.js'
import type { Route } from '../server/router.js'
import type { KvRecord } from '../state/kv.js'
import { checkKey } from './kv-key.js'
import { requireSession } from './session-lookup.js'
import { parseUnsigned } from './unsigned-parameter.js'

/** The largest value, in bytes. */
export const MAX_VALUE_BYTES = 524_288

/** The route of keys and values. */
export function kvRoutes(agent: AgentNode): readonly Route[] {
  const endpoint = new QueryEndpoint(agent, KV_STYLE)
  return [
    {
      path: '/v1/kv/',
      methods: {
        GET: (request) => read(agent, endpoint, request),
        PUT: (request) => put(agent, request),
        DELETE: (request) => remove(agent, request),
      },
    },
  ]
}

/** A key as it is shown. */
export function kvJson(record: KvRecord, value: string | null): object {
  return {
    LockIndex: record.lockIndex,
    Key: record.key,
    Flags: record.flags <= BigInt(Number.MAX_SAFE_INTEGER) ? Number(record.flags) : record.flags,
    Value: value,
    ...(record.session === '' ? {} : { Session: record.session }),
    CreateIndex: record.createIndex,
    ModifyIndex: record.modifyIndex,
  }
}

/** A value as JSON carries it; an empty one is null. */
export function encodeValue(value: Buffer): string | null {
  return value.length === 0 ? null : value.toString('base64')
}

function notFound(headers: Readonly<Record<string, string>>): Reply {
  return { status: 404, headers, body: undefined }
}

function read(agent: AgentNode, endpoint: QueryEndpoint, request: ApiRequest): Promise<Reply> | Reply {
  if (request.has('keys')) return readKeys(agent, endpoint, request)
  if (request.has('recurse')) return readTree(agent, endpoint, request)
  const key = requireKey(agent, request)
  return endpoint.answer(
    request,
    (view) => {
      view.require('key', key, 'read')
      const { value, index, interests } = agent.cluster.store.kv.read(key)
      return { index, interests, value: () => value, isMissing: value === undefined }
    },
    (record, headers) => (record === undefined ? notFound(headers) : present(record, request, headers)),
  )
}

function present(record: KvRecord, request: ApiRequest, headers: Readonly<Record<string, string>>): Reply {
  if (!request.has('raw')) return json([kvJson(record, encodeValue(record.value))], headers)
  const rawHeaders = {
    ...headers,
    'Content-Type': 'text/plain',
    'X-Content-Type-Options': 'nosniff',
    'Content-Security-Policy': 'sandbox',
  }
  return { status: 200, headers: rawHeaders, body: { bytes: record.value } }
}

function readTree(agent: AgentNode, endpoint: QueryEndpoint, request: ApiRequest): Promise<Reply> {
  const prefix = request.rest
  return endpoint.answer(
    request,
    (view) => {
      const { value, index, interests } = agent.cluster.store.kv.list(prefix)
      const visible = view.visible(value, ({ key }) => view.authorizer.allows('key', key, 'read'))
      return { index, interests, value: () => visible }
    },
    (records, headers) =>
      records.length === 0
        ? notFound(headers)
        : json(
            records.map((record) => kvJson(record, encodeValue(record.value))),
            headers,
          ),
  )
}

function readKeys(agent: AgentNode, endpoint: QueryEndpoint, request: ApiRequest): Promise<Reply> {
  const prefix = request.rest
  const separator = request.param('separator') || request.param('seperator')
  return endpoint.answer(
    request,
    (view) => {
      const { value, index, interests } = agent.cluster.store.kv.list(prefix)
      const visible = view.visible(value, ({ key }) => view.authorizer.allows('key', key, 'read'))
      return { index, interests, value: () => cutAt(visible, prefix, separator) }
    },
    // The real agent answers an empty list only when the whole store was asked for.
    (keys, headers) => (keys.length === 0 && prefix !== '' ? notFound(headers) : json(keys, headers)),
  )
}

/** The keys, each cut after the first separator beyond the prefix, without repetition. */
function cutAt(records: readonly KvRecord[], prefix: string, separator: string): readonly string[] {
  if (separator === '') return records.map(({ key }) => key)
  const cut = records.map(({ key }) => {
    const at = key.indexOf(separator, prefix.length)
    return at < 0 ? key : key.slice(0, at + separator.length)
  })
  return [...new Set(cut)]
}

function put(agent: AgentNode, request: ApiRequest): Reply {
  const key = requireKey(agent, request)
  refuseConflicts(request, ['cas', 'acquire', 'release'])
  const flags = request.has('flags') ? parseUnsigned(request.param('flags')) : 0n
  const expected = request.has('cas') ? parseUnsigned(request.param('cas')) : undefined
  checkSize(agent, request)
  checkScope(request, agent.cluster.datacenter)
  requireLeader(agent, request)
  agent.view(request.token).require('key', key, 'write')
  const { store } = agent.cluster
  const write = { key, value: request.body, flags }
  if (request.has('acquire')) {
    const session = requireSession(store, request.param('acquire'))
    if (store.sessions.isDelayed(key)) return json(false)
    return json(store.apply((tx) => store.kv.lock(tx, write, session.id)) !== undefined)
  }
  if (request.has('release')) {
    return json(store.apply((tx) => store.kv.unlock(tx, write, request.param('release'))) !== undefined)
  }
  if (expected !== undefined) return json(store.apply((tx) => store.kv.setIf(tx, write, expected)) !== undefined)
  store.apply((tx) => store.kv.set(tx, write))
  return json(true)
}

function remove(agent: AgentNode, request: ApiRequest): Reply {
  const isTree = request.has('recurse')
  const key = isTree ? request.rest : requireKey(agent, request)
  refuseConflicts(request, ['recurse', 'cas'])
  const expected = request.has('cas') ? parseUnsigned(request.param('cas')) : undefined
  checkScope(request, agent.cluster.datacenter)
  requireLeader(agent, request)
  const view = agent.view(request.token)
  if (isTree) view.requireTree(key)
  else view.require('key', key, 'write')
  const { store } = agent.cluster
  if (expected !== undefined) return json(store.apply((tx) => store.kv.deleteIf(tx, key, expected)))
  store.apply((tx) => (isTree ? store.kv.deleteTree(tx, key) : store.kv.delete(tx, key)))
  return json(true)
}

function requireKey(agent: AgentNode, request: ApiRequest): string {
  if (request.rest === '') throw new Refusal(400, 'Missing key name')
  if (agent.profile.validatesKeys) checkKey(request.rest)
  return request.rest
}

function refuseConflicts(request: ApiRequest, names: readonly string[]): void {
  const given = names.filter((name) => request.has(name))
  if (given.length > 1) {
    throw new Refusal(
      400,
      `Conflicting flags: ${[...request.query]
        .sort(([left], [right]) => (left < right ? -1 : 1))
        .map(([name, value]) => `${name}=${value}`)
        .join('&')}`,
    )
  }
}

function checkSize(agent: AgentNode, request: ApiRequest): void {
  const bytes = request.body.length
  const isChunked = request.headers['content-length'] === undefined
  if (bytes <= MAX_VALUE_BYTES || (isChunked && !agent.profile.limitsChunkedValues)) return
  throw new Refusal(
    413,
    `Request body(${bytes} bytes) too large, max size: ${MAX_VALUE_BYTES} bytes. See ${agent.profile.valueLimitPage}.`,
    { Connection: 'close' },
  )
}
