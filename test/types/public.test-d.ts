import { type } from 'arktype'
import * as v from 'valibot'
import { describe, expectTypeOf, it } from 'vitest'
import { z } from 'zod'
import {
  Proconsul,
  isProconsulError,
  type Duration,
  type KvEntry,
  type KvWatcher,
  type Logger,
  type ProconsulError,
  type ProconsulErrorCode,
  type ServiceDefinition,
  type ServiceInstance,
  type ServiceSnapshot,
  type ServiceWatcher,
  type ShutdownReport,
} from '../../src/index.js'

declare const consul: Proconsul
declare const error: unknown

describe('options', () => {
  it('are all optional, and misspelt ones do not compile', () => {
    expectTypeOf(Proconsul).toBeConstructibleWith()
    expectTypeOf(Proconsul).toBeConstructibleWith({ address: 'http://127.0.0.1:8500', token: undefined })
    expectTypeOf(Proconsul).toBeConstructibleWith({ token: () => Promise.resolve('token'), logger: console })
    // @ts-expect-error there is no such option
    expectTypeOf(Proconsul).toBeConstructibleWith({ adress: 'http://127.0.0.1:8500' })
  })

  it('take durations with a unit or in milliseconds, and console for a logger', () => {
    expectTypeOf<'15s'>().toExtend<Duration>()
    expectTypeOf<250>().toExtend<Duration>()
    expectTypeOf<string>().toExtend<Duration>()
    expectTypeOf<Console>().toExtend<Logger>()
  })
})

describe('registration', () => {
  it('knows each kind of check by its fields', () => {
    expectTypeOf<{ name: 'a'; check: { type: 'ttl'; ttl: '15s' } }>().toExtend<ServiceDefinition>()
    expectTypeOf<{
      name: 'a'
      check: { type: 'http'; url: 'http://a/'; interval: '10s' }
    }>().toExtend<ServiceDefinition>()
    // @ts-expect-error a TTL check has no url
    void consul.registerService({ name: 'a', check: { type: 'ttl', url: 'http://a/' } })
    expectTypeOf<{ name: 'a'; check: { type: 'smtp' } }>().not.toExtend<ServiceDefinition>()
  })

  it('has a state and a health of known words', async () => {
    const registration = await consul.registerService({ name: 'a', port: 1 })
    expectTypeOf(registration.state).toEqualTypeOf<
      'registering' | 'registered' | 'lost' | 'draining' | 'deregistered'
    >()
    expectTypeOf(registration.health.status).toEqualTypeOf<'passing' | 'warning' | 'critical'>()
    expectTypeOf(registration.id).toBeString()
    // @ts-expect-error there is no such event
    registration.on('gone', () => undefined)
  })
})

describe('a watcher', () => {
  it('yields readonly instances and snapshots', () => {
    const users = consul.watchService('users')
    expectTypeOf(users.instances).toEqualTypeOf<readonly ServiceInstance[]>()
    users.on('change', ({ added, removed, updated, snapshot }) => {
      expectTypeOf(added).toEqualTypeOf<readonly ServiceInstance[]>()
      expectTypeOf(removed).toEqualTypeOf<readonly ServiceInstance[]>()
      expectTypeOf(updated[0]).not.toBeAny()
      expectTypeOf(snapshot).toEqualTypeOf<ServiceSnapshot>()
    })
    users.on('error', (failure) => expectTypeOf(failure).toEqualTypeOf<ProconsulError>())
    expectTypeOf(users).toExtend<AsyncIterable<ServiceSnapshot>>()
    expectTypeOf(users).toExtend<AsyncDisposable>()
  })
})

describe('configuration', () => {
  it('has the type of its schema, deeply readonly', async () => {
    const withZod = await consul.config({ layers: ['a'], schema: z.object({ port: z.coerce.number() }) })
    expectTypeOf(withZod.value).toEqualTypeOf<{ readonly port: number }>()
    const withValibot = await consul.config({ layers: ['a'], schema: v.object({ tags: v.array(v.string()) }) })
    expectTypeOf(withValibot.value.tags).toEqualTypeOf<readonly string[]>()
    const withArktype = await consul.config({ layers: ['a'], schema: type({ port: 'string.integer.parse' }) })
    expectTypeOf(withArktype.value).toEqualTypeOf<{ readonly port: number }>()
    const withFunction = await consul.config({ layers: ['a'], schema: () => ({ pool: { size: 5 } }) })
    expectTypeOf(withFunction.get('pool.size')).toEqualTypeOf<number>()
    withFunction.watch(
      (value) => value.pool,
      (pool) => expectTypeOf(pool.size).toBeNumber(),
    )
  })
})

describe('keys', () => {
  it('are text, or bytes where asked for, or not there', async () => {
    expectTypeOf(await consul.kv.get('a')).toEqualTypeOf<KvEntry | undefined>()
    expectTypeOf(await consul.kv.get('a', { encoding: 'buffer' })).toEqualTypeOf<KvEntry<Buffer> | undefined>()
    expectTypeOf(await consul.kv.set('a', 'b', { cas: 0 })).toBeBoolean()
    expectTypeOf(await consul.kv.list('a/')).toEqualTypeOf<readonly KvEntry[]>()
    expectTypeOf(await consul.kv.keys('a/')).toEqualTypeOf<readonly string[]>()
  })

  it('are watched one by one, which may not be there, or as a tree, which may be empty', () => {
    expectTypeOf(consul.kv.watch('a').value).toEqualTypeOf<KvEntry | undefined>()
    expectTypeOf(consul.kv.watchTree('a/').value).toEqualTypeOf<readonly KvEntry[]>()
    expectTypeOf(consul.kv.watch('a')).toEqualTypeOf<KvWatcher<KvEntry | undefined>>()
  })

  it('are watched by the same verbs as services', () => {
    type Verbs = Pick<ServiceWatcher, 'pause' | 'resume' | 'refresh' | 'close' | 'failure'>
    type Facts = Pick<ServiceSnapshot, 'receivedAt' | 'stale'>
    expectTypeOf(consul.kv.watch('a')).toExtend<Verbs & Facts>()
    expectTypeOf(consul.kv.watchTree('a/')).toExtend<Verbs & Facts>()
  })
})

describe('errors and the end', () => {
  it('are known by their code', () => {
    if (isProconsulError(error, 'PROCONSUL_TIMEOUT')) expectTypeOf(error).toEqualTypeOf<ProconsulError>()
    expectTypeOf<ProconsulError['code']>().toEqualTypeOf<ProconsulErrorCode>()
    expectTypeOf<'PROCONSUL_UNAVAILABLE'>().toExtend<ProconsulErrorCode>()
  })

  it('close tells what stayed, and a client can be disposed of', () => {
    expectTypeOf(consul.close()).resolves.toEqualTypeOf<ShutdownReport>()
    expectTypeOf<Proconsul>().toExtend<AsyncDisposable>()
  })
})
