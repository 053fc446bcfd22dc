import { checkString } from '../core/option-check.js'
import type { HttpClient } from '../http/request.js'
import { goDuration } from './go-duration.js'
import {
  blockingWait,
  commonPart,
  knownOptions,
  READ_OPTIONS,
  REQUEST_OPTIONS,
  type ReadOptions,
  type RequestOptions,
} from './options.js'
import { path } from './path.js'
import { listOf, objectOf, type Answer } from './wire.js'

/** One user event. */
export interface UserEvent {
  readonly id: string
  readonly name: string
  readonly payload: Buffer
  readonly nodeFilter: string
  readonly serviceFilter: string
  readonly tagFilter: string
  /** Lamport time: orders the events of a datacenter. */
  readonly lTime: number
}

/** Options of a new event. */
export interface FireEventOptions extends RequestOptions {
  readonly payload?: string | Buffer | undefined
  /** Only for nodes whose name matches this regular expression. */
  readonly node?: string | undefined
  /** Only for nodes with a service whose name matches this regular expression. */
  readonly service?: string | undefined
  /** With `service`: only if it has a tag that matches. */
  readonly tag?: string | undefined
}

/** Options of a list of events. */
export interface ListEventsOptions extends Omit<ReadOptions, 'index'> {
  /** Only events of this name. */
  readonly name?: string | undefined
  /** Return when the hash of the list is not this `meta.contentHash` of an answer, or when `wait` is over. */
  readonly hash?: string | undefined
}

interface WireEvent {
  readonly ID?: string | null
  readonly Name?: string | null
  readonly Payload?: string | null
  readonly NodeFilter?: string | null
  readonly ServiceFilter?: string | null
  readonly TagFilter?: string | null
  readonly LTime?: number | null
}

const FIRE_OPTIONS = [...REQUEST_OPTIONS, 'payload', 'node', 'service', 'tag'] as const
const LIST_OPTIONS: readonly (keyof ListEventsOptions)[] = [
  ...READ_OPTIONS.filter((name) => name !== 'index'),
  'name',
  'hash',
]

/** User events: gossip without a guarantee of delivery or order (https://developer.hashicorp.com/consul/api-docs/event). */
export class EventApi {
  readonly #http: HttpClient

  constructor(http: HttpClient) {
    this.#http = http
  }

  /** Sends an event to the datacenter. Each call is a new event: it is not repeated after an unknown outcome. */
  async fire(name: string, options: FireEventOptions = {}): Promise<UserEvent> {
    const { payload, node, service, tag, ...rest } = knownOptions('event.fire', options, FIRE_OPTIONS)
    const answer = await this.#http.request({
      operation: 'event.fire',
      method: 'PUT',
      path: path`/event/fire/${checkString('name', name)}`,
      query: { node, service, tag },
      ...(payload !== undefined && { body: Buffer.from(payload) }),
      idempotent: false,
      ...commonPart(rest),
    })
    return userEvent(objectOf<WireEvent>(answer))
  }

  /** The last events that this agent saw, 256 at most, oldest first. What the agent calls their index is a hash, and here one. */
  async list(options: ListEventsOptions = {}): Promise<Answer<readonly UserEvent[]>> {
    const { name, hash, ...rest } = knownOptions('event.list', options, LIST_OPTIONS)
    const blocking = hash === undefined ? undefined : blockingWait(rest.wait)
    const answer = await this.#http.request({
      operation: 'event.list',
      method: 'GET',
      path: '/event/list',
      ...commonPart(rest),
      query: { name, ...(blocking !== undefined && { index: hash, wait: goDuration(blocking.waitMs) }) },
      idempotent: true,
      ...(blocking !== undefined && { blocking }),
    })
    const { longIndex, index, filteredByAcls } = answer.meta
    const contentHash = longIndex ?? index?.toString()
    const meta = {
      ...(contentHash !== undefined && { contentHash }),
      ...(filteredByAcls !== undefined && { filteredByAcls }),
    }
    return { value: listOf<WireEvent>(answer).map(userEvent), meta }
  }
}

function userEvent(wire: WireEvent): UserEvent {
  return {
    id: wire.ID ?? '',
    name: wire.Name ?? '',
    payload: Buffer.from(wire.Payload ?? '', 'base64'),
    nodeFilter: wire.NodeFilter ?? '',
    serviceFilter: wire.ServiceFilter ?? '',
    tagFilter: wire.TagFilter ?? '',
    lTime: wire.LTime ?? 0,
  }
}
