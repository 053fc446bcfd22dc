import type { ApiRequest } from '../server/api-request.js'
import { Refusal } from '../wire/reply.js'
import type { PreparedQueryRecord } from '../state/prepared-queries.js'
import { anything, flag, integer, list, map, object, text } from '../wire/go-decode.js'
import { GoDurationError, parseGoDuration } from '../wire/go-duration.js'

/** A prepared query without what the store adds. */
export type QueryDefinition = Omit<PreparedQueryRecord, 'id' | 'createIndex' | 'modifyIndex'>

const decodeBody = object({
  Name: text,
  Session: text,
  Token: text,
  Template: anything,
  Service: object({
    Service: text,
    OnlyPassing: flag,
    Near: text,
    Tags: list(text),
    NodeMeta: map(text),
    ServiceMeta: map(text),
    IgnoreCheckIDs: list(text),
    Failover: object({ NearestN: integer, Datacenters: list(text) }, { lenient: true }),
    Connect: flag,
  }),
  DNS: object({ TTL: text }, { lenient: true }),
  ID: text,
})

/**
 * Reads a prepared query. `lookUp` is called before its fields are looked at.
 * @throws Refusal 500 with the real agent's words for what it refuses.
 */
export function decodeQuery(request: ApiRequest, lookUp?: () => void): QueryDefinition {
  const given = request.decode(decodeBody)
  lookUp?.()
  const service = given.Service ?? {}
  const name = given.Name ?? ''
  const session = given.Session ?? ''
  if (name === '' && session === '') throw invalid('Must be bound to a session')
  if (service.Service === undefined || service.Service === '') throw invalid('Must provide a Service name to query')
  const dnsTtl = given.DNS?.TTL ?? ''
  checkDnsTtl(dnsTtl)
  return {
    name,
    session,
    token: given.Token ?? '',
    service: service.Service,
    onlyPassing: service.OnlyPassing ?? false,
    near: service.Near ?? '',
    tags: service.Tags ?? null,
    nodeMeta: service.NodeMeta ?? null,
    serviceMeta: service.ServiceMeta ?? null,
    ignoreCheckIds: service.IgnoreCheckIDs ?? null,
    failoverNearestN: service.Failover?.NearestN ?? 0,
    failoverDatacenters: service.Failover?.Datacenters ?? null,
    connect: service.Connect ?? false,
    dnsTtl,
  }
}

function invalid(reason: string): Refusal {
  return new Refusal(500, `Invalid prepared query: ${reason}`)
}

function checkDnsTtl(ttl: string): void {
  if (ttl === '') return
  try {
    parseGoDuration(ttl)
  } catch (error) {
    if (!(error instanceof GoDurationError)) throw error
    throw invalid(`Bad DNS TTL '${ttl}': ${error.message}`)
  }
}

/** A prepared query as it is shown. */
export function queryJson(query: PreparedQueryRecord): object {
  return {
    ID: query.id,
    Name: query.name,
    Session: query.session,
    Token: query.token,
    Template: { Type: '', Regexp: '', RemoveEmptyTags: false },
    Service: {
      Service: query.service,
      Failover: { NearestN: query.failoverNearestN, Datacenters: query.failoverDatacenters },
      OnlyPassing: query.onlyPassing,
      IgnoreCheckIDs: query.ignoreCheckIds,
      Near: query.near,
      Tags: query.tags,
      NodeMeta: query.nodeMeta,
      ServiceMeta: query.serviceMeta,
      Connect: query.connect,
    },
    DNS: { TTL: query.dnsTtl },
    CreateIndex: query.createIndex,
    ModifyIndex: query.modifyIndex,
  }
}
