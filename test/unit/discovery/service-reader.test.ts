import { describe, expect, it } from 'vitest'
import { CatalogApi } from '../../../src/api/catalog.js'
import { HealthApi } from '../../../src/api/health.js'
import { abortError } from '../../../src/core/abort.js'
import { resolveServiceQuery, type ServiceQuery } from '../../../src/discovery/service-query.js'
import { ServiceReader } from '../../../src/discovery/service-reader.js'
import { ProconsulError } from '../../../src/errors/proconsul-error.js'
import type { HttpAnswer, HttpClient, HttpRequest } from '../../../src/http/request.js'
import type { InstanceList } from '../../../src/instances/instance-source.js'
import { settle } from '../../support/fake-clock.js'
import { makeEngine } from '../watch/harness.js'

interface Entry {
  readonly id: string
  readonly status: 'passing' | 'warning' | 'critical'
}

/** An agent that knows these instances of `web`; `narrow` is what it says to a narrowed question. */
class PlayedAgent implements HttpClient {
  readonly requests: HttpRequest[] = []
  readonly #all: readonly Entry[]
  readonly #narrow: readonly Entry[]
  readonly #names: readonly string[]
  readonly #isFiltered: boolean

  constructor(facts: {
    readonly all?: readonly Entry[]
    readonly narrow?: readonly Entry[]
    readonly names?: readonly string[]
    readonly isFiltered?: boolean
  }) {
    this.#all = facts.all ?? []
    this.#narrow = facts.narrow ?? []
    this.#names = facts.names ?? ['consul']
    this.#isFiltered = facts.isFiltered ?? false
  }

  request(request: HttpRequest): Promise<HttpAnswer> {
    this.requests.push(request)
    if (request.query?.['index'] !== undefined) return held(request)
    const isNarrow = ['tag', 'filter', 'passing', 'node-meta'].some((name) => request.query?.[name] !== undefined)
    const body = request.path.startsWith('/health')
      ? (isNarrow ? this.#narrow : this.#all).map(wireEntry)
      : Object.fromEntries(this.#names.map((name) => [name, []]))
    const meta = { index: 7, ...(this.#isFiltered && { filteredByAcls: true }) }
    return Promise.resolve({
      operation: request.operation,
      status: 200,
      body: Buffer.from(JSON.stringify(body)),
      meta,
    })
  }

  get paths(): readonly string[] {
    return this.requests.filter(({ query }) => query?.['index'] === undefined).map(({ path }) => path)
  }
}

/** Until it is given up. */
function held({ signal }: HttpRequest): Promise<never> {
  return new Promise((_resolve, reject) => {
    signal?.addEventListener('abort', () => reject(abortError(signal)))
  })
}

function wireEntry({ id, status }: Entry): object {
  return {
    Node: { Node: 'n', Address: '10.0.0.1', Datacenter: 'dc1' },
    Service: { ID: id, Service: 'web', Port: 80 },
    Checks: [{ CheckID: `service:${id}`, Status: status }],
  }
}

async function read(agent: PlayedAgent, query: ServiceQuery = {}): Promise<InstanceList> {
  await using engine = makeEngine().engine
  const reader = new ServiceReader(engine, new HealthApi(agent), new CatalogApi(agent))
  const lists: InstanceList[] = []
  const nothing = (): void => undefined
  const observer = { onFailure: nothing, onDoubt: nothing, onSaved: nothing, onProblem: nothing }
  reader.source(resolveServiceQuery('web', query)).observe({ ...observer, onValue: (list) => void lists.push(list) })
  await settle()
  const [first] = lists
  if (first === undefined) throw new Error('nothing was read')
  return first
}

const passing: Entry = { id: 'p', status: 'passing' }
const warning: Entry = { id: 'w', status: 'warning' }
const critical: Entry = { id: 'c', status: 'critical' }
const ids = ({ instances }: InstanceList): string => instances.map(({ id }) => id).join()

describe('the instances that are read', () => {
  it('are those that can serve by default, and Consul is asked for all', async () => {
    const agent = new PlayedAgent({ all: [passing, warning, critical] })
    const list = await read(agent)
    expect(ids(list)).toBe('p,w')
    expect(list).toMatchObject({ revision: '7', isContinuous: true, isOrdered: false })
    expect(list.emptyReason).toBeUndefined()
    expect(agent.requests[0]?.query?.['passing']).toBeUndefined()
    expect(agent.paths).toEqual(['/health/service/web'])
  })

  it('are all of any health, and those that pass as Consul says so itself', async () => {
    expect(ids(await read(new PlayedAgent({ all: [passing, warning, critical] }), { health: 'any' }))).toBe('p,w,c')
    const agent = new PlayedAgent({ narrow: [passing] })
    expect(ids(await read(agent, { health: 'passing' }))).toBe('p')
    expect(agent.requests[0]?.query?.['passing']).toBe(true)
  })

  it('have an order with near', async () => {
    expect((await read(new PlayedAgent({ all: [passing] }), { near: '_agent' })).isOrdered).toBe(true)
  })

  it('are read from the leader, past every cache, to confirm a loss', async () => {
    await using engine = makeEngine().engine
    const agent = new PlayedAgent({ all: [passing, critical] })
    const reader = new ServiceReader(engine, new HealthApi(agent), new CatalogApi(agent))
    const source = reader.source(resolveServiceQuery('web', { cached: true }))
    const found = await source.confirm?.(new AbortController().signal)
    expect(found?.map(({ id }) => id)).toEqual(['p'])
    expect(agent.requests[0]?.query).toMatchObject({ consistent: true, cached: false, stale: false })
  })

  it('are named for messages by service and datacenter', async () => {
    await using engine = makeEngine().engine
    const agent = new PlayedAgent({})
    const reader = new ServiceReader(engine, new HealthApi(agent), new CatalogApi(agent))
    const label = (query: ServiceQuery): string => reader.source(resolveServiceQuery('web', query)).label
    expect(label({})).toBe('service "web"')
    expect(label({ datacenter: 'dc2' })).toBe('service "web" in datacenter "dc2"')
  })

  it('are frozen when they are read once', async () => {
    await using engine = makeEngine().engine
    const agent = new PlayedAgent({ all: [passing, critical] })
    const reader = new ServiceReader(engine, new HealthApi(agent), new CatalogApi(agent))
    const found = await reader.once(resolveServiceQuery('web'), {})
    expect(found.map(({ id }) => id)).toEqual(['p'])
    expect(Object.isFrozen(found[0])).toBe(true)
  })
})

describe('why there are no instances', () => {
  it.each<[string, ConstructorParameters<typeof PlayedAgent>[0], ServiceQuery, string, number]>([
    ['all are critical', { all: [critical] }, {}, 'none-passing', 1],
    ['none has the port', { all: [passing] }, { port: 'grpc' }, 'none-matching', 1],
    ['none with the port serves either', { all: [critical] }, { port: 'grpc' }, 'none-passing', 1],
    ['none has the tags', { all: [warning] }, { tags: ['v1'] }, 'none-matching', 2],
    ['none passes the filter', { all: [warning] }, { filter: 'x' }, 'none-matching', 2],
    ['none is on such a node', { all: [warning] }, { nodeMeta: { a: 'b' } }, 'none-matching', 2],
    ['all warn, and passing ones were asked for', { all: [warning] }, { health: 'passing' }, 'none-passing', 2],
    ['one passes, but not with the tags', { all: [passing] }, { health: 'passing', tags: ['v1'] }, 'none-matching', 2],
    ['all of any health lack the tags', { all: [critical] }, { health: 'any', tags: ['v1'] }, 'none-matching', 2],
    ['there is no such service', { names: ['consul', 'other'] }, {}, 'not-registered', 2],
    ['there is none with or without the tags', { names: ['consul'] }, { tags: ['v1'] }, 'not-registered', 3],
    ['the catalog names it and shows none', { names: ['consul', 'web'] }, {}, 'filtered-by-acl', 2],
    ['the catalog shows no name at all', { names: [] }, {}, 'filtered-by-acl', 2],
    ['Consul says so', { isFiltered: true }, {}, 'filtered-by-acl', 1],
  ])('is told: %s', async (_title, facts, query, reason, questions) => {
    const agent = new PlayedAgent(facts)
    const list = await read(agent, query)
    expect(list.instances).toEqual([])
    expect(list.emptyReason).toBe(reason)
    expect(agent.paths).toHaveLength(questions)
  })

  it('is not told where it must not be asked', async () => {
    class Forbidding extends PlayedAgent {
      override request(request: HttpRequest): Promise<HttpAnswer> {
        if (request.path.startsWith('/health')) return super.request(request)
        return Promise.reject(new ProconsulError('PROCONSUL_PERMISSION_DENIED', 'not for you'))
      }
    }
    const list = await read(new Forbidding({}))
    expect(list.instances).toEqual([])
    expect(list.emptyReason).toBeUndefined()
  })
})
