import { describe, expect, it, vi } from 'vitest'
import { KvApi } from '../../../src/api/kv.js'
import type { Runtime } from '../../../src/core/runtime.js'
import { httpFailure } from '../../../src/errors/http-failure.js'
import { networkFailure } from '../../../src/errors/network-failure.js'
import type { ProconsulError } from '../../../src/errors/proconsul-error.js'
import type { HttpAnswer, HttpClient, HttpRequest } from '../../../src/http/request.js'
import { updateKey, type KvChangeFunction, type KvUpdateOptions } from '../../../src/kv/kv-update.js'
import { FakeClock } from '../../support/fake-clock.js'

const refused = (): ProconsulError =>
  networkFailure('kv', 'http://a:1', Object.assign(new Error('refused'), { code: 'ECONNREFUSED' }))
const reset = (): ProconsulError =>
  networkFailure('kv', 'http://a:1', Object.assign(new Error('reset'), { code: 'ECONNRESET' }))
const status = (code: number, body: string): ProconsulError => httpFailure({ operation: 'kv', status: code, body })
const noLeader = (): ProconsulError => status(500, 'No cluster leader')
const leadershipLost = (): ProconsulError => status(500, 'leadership lost while committing log')

/** What becomes of one request: it fails before or after it was carried out, or something happens before it. */
interface Fate {
  readonly before?: () => ProconsulError | undefined
  readonly after?: () => ProconsulError | undefined
}

/** A store of one key that obeys `cas`, and an agent in front of it that fails as a test says. */
class Store implements HttpClient {
  value: string | undefined
  index = 0
  readonly reads: Fate[] = []
  readonly writes: Fate[] = []
  readonly requests: HttpRequest[] = []

  put(value: string): void {
    this.value = value
    this.index += 10
  }

  async request(request: HttpRequest): Promise<HttpAnswer> {
    this.requests.push(request)
    await Promise.resolve()
    const fate = (request.method === 'GET' ? this.reads : this.writes).shift()
    const failure = fate?.before?.()
    if (failure !== undefined) throw failure
    const answer = this.#carryOut(request)
    const late = fate?.after?.()
    if (late !== undefined) throw late
    return { operation: request.operation, meta: {}, ...answer }
  }

  #carryOut(request: HttpRequest): Pick<HttpAnswer, 'status' | 'body'> {
    if (request.method === 'GET') {
      if (this.value === undefined) return { status: 404, body: Buffer.alloc(0) }
      const entry = { Key: 'k', Value: Buffer.from(this.value).toString('base64'), Flags: 7, ModifyIndex: this.index }
      return { status: 200, body: Buffer.from(JSON.stringify([entry])) }
    }
    const holds = request.query?.['cas'] === (this.value === undefined ? 0 : this.index)
    if (holds) this.put(String(request.body))
    return { status: 200, body: Buffer.from(String(holds)) }
  }
}

const increment: KvChangeFunction = (value) => String(Number(value ?? '0') + 1)

function updating(store: Store, change: KvChangeFunction = increment, options: KvUpdateOptions = {}) {
  const clock = new FakeClock()
  const logger = { debug: () => undefined, info: () => undefined, warn: () => undefined, error: () => undefined }
  const runtime: Runtime = { clock, random: () => 0.5, logger }
  const outcome = updateKey(runtime, new KvApi(store), 'k', change, options).then(
    (value) => value,
    (error: unknown) => error,
  )
  return { clock, outcome }
}

describe('an update goes on', () => {
  it.each([
    ['nobody listens', refused],
    ['there is no leader', noLeader],
    ['leadership is lost', leadershipLost],
    ['the connection is lost', reset],
    ['the agent wants fewer requests', () => status(429, '')],
  ])('while its read fails because %s', async (_why, failure) => {
    const store = new Store()
    store.put('4')
    store.reads.push(...Array.from({ length: 12 }, () => ({ before: failure })))
    const { clock, outcome } = updating(store)
    await clock.advance(10_000)
    expect(await outcome).toBe(true)
    expect(store.value).toBe('5')
  })

  it.each([
    ['nobody listens', refused],
    ['there is no leader to hand it to', noLeader],
    ['no server is known', () => status(500, 'No known Consul servers')],
    ['a server cannot reach the leader', () => status(500, 'rpc error getting client: failed to get conn')],
    ['the agent wants fewer requests', () => status(429, '')],
  ])('while its write has no effect because %s, without looking at the key again', async (_why, failure) => {
    const store = new Store()
    store.put('4')
    store.writes.push(...Array.from({ length: 12 }, () => ({ before: failure })))
    const { clock, outcome } = updating(store)
    await clock.advance(10_000)
    expect(await outcome).toBe(true)
    expect(store.value).toBe('5')
    expect(store.requests.filter(({ method }) => method === 'GET')).toHaveLength(1)
  })

  it.each([
    ['leadership was lost', leadershipLost],
    ['the connection was lost', reset],
  ])('with the same write when %s and a look shows that nothing was written', async (_why, failure) => {
    const store = new Store()
    store.put('4')
    store.writes.push({ before: failure })
    store.reads.push({}, { before: noLeader })
    const change = vi.fn(increment)
    const { clock, outcome } = updating(store, change)
    await clock.advance(10_000)
    expect(await outcome).toBe(true)
    expect(store.value).toBe('5')
    expect(change).toHaveBeenCalledOnce()
  })

  it('for a key that does not exist as for one that does', async () => {
    const store = new Store()
    store.writes.push({ before: leadershipLost })
    const { clock, outcome } = updating(store)
    await clock.advance(10_000)
    expect(await outcome).toBe(true)
    expect(store.value).toBe('1')
  })

  it('with a new look when another was faster while it waited', async () => {
    const store = new Store()
    store.put('4')
    store.writes.push({
      before: () => {
        store.put('9')
        return undefined
      },
    })
    const { clock, outcome } = updating(store)
    await clock.advance(1_000)
    expect(await outcome).toBe(true)
    expect(store.value).toBe('10')
  })

  it('with one request at a time and the flags of the entry, and no repetition beneath it', async () => {
    const store = new Store()
    store.put('4')
    const { outcome } = updating(store)
    await outcome
    expect(store.requests.map(({ method, repeat, query }) => [method, repeat, query?.['flags']])).toEqual([
      ['GET', false, undefined],
      ['PUT', undefined, 7],
    ])
    expect(store.requests[0]?.query).toMatchObject({ consistent: true })
  })
})

describe('an update ends', () => {
  it('with the failure of its read when patience is over, and nothing is left of it', async () => {
    const store = new Store()
    store.reads.push(...Array.from({ length: 500 }, () => ({ before: noLeader })))
    const { clock, outcome } = updating(store, increment, { patience: '2s' })
    await clock.advance(2_600)
    expect(await outcome).toMatchObject({ code: 'PROCONSUL_NO_LEADER' })
    expect(store.requests.length).toBeGreaterThan(4)
    expect(clock.pendingTimers).toBe(0)
  })

  it('at once where waiting does not help', async () => {
    const store = new Store()
    store.reads.push({ before: () => status(403, 'Permission denied') })
    expect(await updating(store).outcome).toMatchObject({ code: 'PROCONSUL_PERMISSION_DENIED' })
    expect(store.requests).toHaveLength(1)
  })

  it('with its signal, also in a pause', async () => {
    const store = new Store()
    store.reads.push(...Array.from({ length: 500 }, () => ({ before: noLeader })))
    const giveUp = new AbortController()
    const { clock, outcome } = updating(store, increment, { signal: giveUp.signal })
    await clock.advance(1_000)
    giveUp.abort()
    expect(await outcome).toMatchObject({ code: 'PROCONSUL_ABORTED' })
    expect(clock.pendingTimers).toBe(0)
  })

  it('as a conflict when others write each time', async () => {
    const store = new Store()
    store.put('0')
    const another = {
      before: () => {
        store.put('x')
        return undefined
      },
    }
    store.writes.push(...Array.from({ length: 500 }, () => another))
    const { clock, outcome } = updating(store, increment, { patience: '1s' })
    await clock.advance(1_500)
    expect(await outcome).toMatchObject({ code: 'PROCONSUL_CONFLICT' })
  })
})

describe('an update whose write may have happened', () => {
  it('is not done again, nor called done, when the key has changed since, though it holds the same value', async () => {
    const store = new Store()
    store.put('4')
    store.writes.push({ after: leadershipLost })
    const { clock, outcome } = updating(store)
    await clock.advance(10_000)
    expect(await outcome).toMatchObject({
      code: 'PROCONSUL_NO_LEADER',
      retryable: true,
      message: expect.stringMatching(/^kv\.update: whether "k" was written is not known; read it/) as string,
      cause: { code: 'PROCONSUL_NO_LEADER' },
    })
    expect(store.value).toBe('5')
    expect(store.requests.filter(({ method }) => method === 'PUT')).toHaveLength(1)
  })

  it('and is carried out late, after the look, is not done again either', async () => {
    const store = new Store()
    store.put('4')
    store.writes.push(
      { before: reset },
      {
        before: () => {
          store.put('5')
          return undefined
        },
      },
    )
    const { clock, outcome } = updating(store)
    await clock.advance(10_000)
    expect(await outcome).toMatchObject({ code: 'PROCONSUL_UNAVAILABLE' })
    expect(store.value).toBe('5')
  })

  it('says so also when the agent cannot be asked any more', async () => {
    const store = new Store()
    store.put('4')
    store.writes.push({ after: reset })
    store.reads.push({}, ...Array.from({ length: 500 }, () => ({ before: refused })))
    const { clock, outcome } = updating(store, increment, { patience: '2s' })
    await clock.advance(3_000)
    expect(await outcome).toMatchObject({
      code: 'PROCONSUL_UNAVAILABLE',
      message: expect.stringContaining('not known') as string,
    })
  })

  it('is aborted as any other', async () => {
    const store = new Store()
    store.put('4')
    store.writes.push({ after: reset })
    store.reads.push({}, ...Array.from({ length: 500 }, () => ({ before: refused })))
    const giveUp = new AbortController()
    const { clock, outcome } = updating(store, increment, { signal: giveUp.signal })
    await clock.advance(1_000)
    giveUp.abort()
    expect(await outcome).toMatchObject({ code: 'PROCONSUL_ABORTED' })
  })
})
