import { parseDuration, type Duration } from '../core/duration.js'
import { checkObject, checkOneOf, checkString, checkStrings } from '../core/option-check.js'
import type { HttpClient } from '../http/request.js'
import { goDuration, LONGEST_GO_DURATION_MS, parseGoDuration } from './go-duration.js'
import { knownOptions, READ_OPTIONS, REQUEST_OPTIONS, type ReadOptions, type RequestOptions } from './options.js'
import { path } from './path.js'
import { read, write } from './send.js'
import { listOf, objectOf, type Answer, type WireList } from './wire.js'

/** What happens to the keys that a session holds when it ends: their lock is released, or they are deleted. */
export type SessionBehavior = 'release' | 'delete'

/** A session to create. Everything is optional. */
export interface SessionDefinition {
  readonly name?: string | undefined
  /** Node it is bound to. Default: the agent's. */
  readonly node?: string | undefined
  /**
   * The session may end this long after its last renewal; Consul ends it at the latest after twice that. From 10 s to 24 h. Default:
   * it does not run out.
   */
  readonly ttl?: Duration | undefined
  /** How long nobody gets a lock of a session that was invalidated. Default 15 s; 0 for none. */
  readonly lockDelay?: Duration | undefined
  /** Default `'release'`. */
  readonly behavior?: SessionBehavior | undefined
  /** Ids of node checks that must not be critical. Default `['serfHealth']`. */
  readonly nodeChecks?: readonly string[] | undefined
  /** Ids of service checks that must not be critical (Consul 1.7 and later). Default none. */
  readonly serviceChecks?: readonly string[] | undefined
}

/** A session (https://developer.hashicorp.com/consul/api-docs/session). */
export interface Session {
  readonly id: string
  readonly name: string
  readonly node: string
  /** Milliseconds; undefined when it does not run out. */
  readonly ttlMs?: number
  readonly lockDelayMs: number
  readonly behavior: SessionBehavior
  readonly nodeChecks: readonly string[]
  readonly serviceChecks: readonly string[]
  readonly createIndex: number
  readonly modifyIndex: number
}

interface WireSession {
  readonly ID: string
  readonly Name?: string
  readonly Node?: string
  readonly TTL?: string
  /** Nanoseconds. */
  readonly LockDelay?: number
  readonly Behavior?: string
  readonly NodeChecks?: WireList<string>
  readonly ServiceChecks?: WireList<{ readonly ID: string }>
  readonly CreateIndex?: number
  readonly ModifyIndex?: number
}

const DEFINITION_FIELDS: readonly (keyof SessionDefinition)[] = [
  'name',
  'node',
  'ttl',
  'lockDelay',
  'behavior',
  'nodeChecks',
  'serviceChecks',
]

const TTL_BOUNDS = { minMs: 10_000, maxMs: 86_400_000 }
const LOCK_DELAY_BOUNDS = { maxMs: LONGEST_GO_DURATION_MS }
const NANOSECONDS_PER_MS = 1_000_000

/** Sessions, on which locks stand. */
export class SessionApi {
  readonly #http: HttpClient

  constructor(http: HttpClient) {
    this.#http = http
  }

  /** Creates a session and resolves with its id. Never repeated after an unknown outcome. */
  async create(definition: SessionDefinition = {}, options: RequestOptions = {}): Promise<string> {
    const known = knownOptions('session.create', options, REQUEST_OPTIONS)
    const answer = await write(this.#http, 'session.create', '/session/create', known, {
      body: wireDefinition(definition),
      idempotent: false,
    })
    return objectOf<{ readonly ID: string }>(answer).ID
  }

  /** Ends a session, and with it its locks. One that does not exist is ended already. */
  async destroy(id: string, options: RequestOptions = {}): Promise<void> {
    const known = knownOptions('session.destroy', options, REQUEST_OPTIONS)
    await write(this.#http, 'session.destroy', path`/session/destroy/${checkString('id', id)}`, known, {
      idempotent: true,
    })
  }

  /** Prolongs a session by its TTL. Undefined when it exists no more. Its `ttlMs` may have grown: renew accordingly. */
  async renew(id: string, options: RequestOptions = {}): Promise<Session | undefined> {
    const known = knownOptions('session.renew', options, REQUEST_OPTIONS)
    const answer = await write(this.#http, 'session.renew', path`/session/renew/${checkString('id', id)}`, known, {
      idempotent: true,
      answers: [404],
    })
    return answer.status === 404 ? undefined : listOf<WireSession>(answer).map(session)[0]
  }

  /** One session; undefined when it does not exist. */
  async info(id: string, options: ReadOptions = {}): Promise<Answer<Session | undefined>> {
    const known = knownOptions('session.info', options, READ_OPTIONS)
    const answer = await read(this.#http, 'session.info', path`/session/info/${checkString('id', id)}`, known)
    return { value: listOf<WireSession>(answer).map(session)[0], meta: answer.meta }
  }

  /** The sessions bound to a node. */
  async node(node: string, options: ReadOptions = {}): Promise<Answer<readonly Session[]>> {
    const known = knownOptions('session.node', options, READ_OPTIONS)
    const answer = await read(this.#http, 'session.node', path`/session/node/${checkString('node', node)}`, known)
    return { value: listOf<WireSession>(answer).map(session), meta: answer.meta }
  }

  /** All sessions that the token may see. */
  async list(options: ReadOptions = {}): Promise<Answer<readonly Session[]>> {
    const known = knownOptions('session.list', options, READ_OPTIONS)
    const answer = await read(this.#http, 'session.list', '/session/list', known)
    return { value: listOf<WireSession>(answer).map(session), meta: answer.meta }
  }
}

function wireDefinition(definition: SessionDefinition): object {
  checkObject('definition', definition, DEFINITION_FIELDS)
  const { name, node, ttl, lockDelay, behavior, nodeChecks, serviceChecks } = definition
  return {
    ...(name !== undefined && { Name: name }),
    ...(node !== undefined && { Node: node }),
    ...(ttl !== undefined && { TTL: goDuration(parseDuration('ttl', ttl, TTL_BOUNDS)) }),
    ...(lockDelay !== undefined && {
      LockDelay: wireLockDelay(parseDuration('lockDelay', lockDelay, LOCK_DELAY_BOUNDS)),
    }),
    ...(behavior !== undefined && { Behavior: checkOneOf('behavior', behavior, ['release', 'delete']) }),
    ...(nodeChecks !== undefined && { NodeChecks: checkStrings('nodeChecks', nodeChecks) }),
    ...(serviceChecks !== undefined && {
      ServiceChecks: checkStrings('serviceChecks', serviceChecks).map((id) => ({ ID: id })),
    }),
  }
}

function wireLockDelay(lockDelayMs: number): string {
  return lockDelayMs === 0 ? '0s' : goDuration(lockDelayMs)
}

function session(wire: WireSession): Session {
  const ttlMs = wire.TTL === undefined || wire.TTL === '' ? undefined : parseGoDuration(wire.TTL)
  return {
    id: wire.ID,
    name: wire.Name ?? '',
    node: wire.Node ?? '',
    ...(ttlMs !== undefined && { ttlMs }),
    lockDelayMs: (wire.LockDelay ?? 0) / NANOSECONDS_PER_MS,
    behavior: wire.Behavior === 'delete' ? 'delete' : 'release',
    nodeChecks: wire.NodeChecks ?? [],
    serviceChecks: (wire.ServiceChecks ?? []).map(({ ID }) => ID),
    createIndex: wire.CreateIndex ?? 0,
    modifyIndex: wire.ModifyIndex ?? 0,
  }
}
