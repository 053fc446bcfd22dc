import { AsyncLocalStorage } from 'node:async_hooks'
import { describe, expect, it } from 'vitest'
import { orAborted } from '../../../src/core/abort.js'
import { httpFailure } from '../../../src/errors/http-failure.js'
import type { ProconsulError } from '../../../src/errors/proconsul-error.js'
import type { RegisterOptions, ServiceDefinition } from '../../../src/registration/definition/service-definition.js'
import type { Registry } from '../../../src/registration/record/registry.js'
import { Registrar } from '../../../src/registration/registrar.js'
import { FakeClock, settle } from '../../support/fake-clock.js'
import { MemoryRegistry, MemoryStore } from '../../support/memory-registry.js'
import { recordingLogger } from '../../support/recording-logger.js'
import { failure } from './played-agent.js'

const WEB: ServiceDefinition = { name: 'web', id: 'w', check: { ttl: '9s' } }

/** A client over a registry in memory, of which a test changes what it does. */
function registering(changes: Partial<Registry> = {}) {
  const [store, clock, logger] = [new MemoryStore(), new FakeClock(), recordingLogger()]
  const registry = Object.assign(new MemoryRegistry(store), changes)
  const target = () => Promise.reject(new Error('no thread'))
  const registrar = new Registrar({ runtime: { clock, random: () => 0.5, logger }, registry, target })
  const register = (options?: RegisterOptions) => registrar.registerService(WEB, options)
  const turns = (): readonly unknown[] => logger.entries.map(({ fields }) => fields['event']).filter(Boolean)
  return { store, clock, logger, registry, registrar, register, turns }
}

/** A resolver that does not answer. */
const hangs: Registry['complete'] = (_definition, signal) =>
  orAborted(signal, new Promise<ServiceDefinition>(() => undefined))

describe('while the address of the service cannot be found out', () => {
  it('a registration ends with its timeout', async () => {
    const { clock, register, registrar } = registering({ complete: hangs })
    const registered = expect(register({ timeout: '2s' })).rejects.toMatchObject({ code: 'PROCONSUL_TIMEOUT' })
    await clock.advance(2_000)
    await registered
    expect([registrar.registrations, clock.pendingTimers]).toEqual([[], 0])
  })

  it('a registration ends with its signal', async () => {
    const { register, registrar } = registering({ complete: hangs })
    const abort = new AbortController()
    const registered = expect(register({ signal: abort.signal })).rejects.toMatchObject({ code: 'PROCONSUL_ABORTED' })
    await settle()
    abort.abort()
    await registered
    expect(registrar.registrations).toEqual([])
  })

  it('a registration in the background is there at once, and is listed and ended like any other', async () => {
    const { register, registrar } = registering({ complete: hangs })
    const registration = await register({ background: true })
    expect([registration.state, registrar.registrations]).toEqual(['registering', [registration]])
    await registration.deregister()
    expect(registration.state).toBe('deregistered')
  })

  it('the failures are heard, and the service is registered with the address once it is known', async () => {
    const complete: Registry['complete'] = (definition, _signal, onFailure) => {
      onFailure(failure('PROCONSUL_UNAVAILABLE'))
      return Promise.resolve({ ...definition, address: '10.0.0.7' })
    }
    const { store, register } = registering({ complete })
    const codes: string[] = []
    const registration = await register({ onRegisterFailed: ({ code }) => codes.push(code) })
    expect([codes, registration.state]).toEqual([['PROCONSUL_UNAVAILABLE'], 'registered'])
    expect(store.entries.get('w')?.service.address).toBe('10.0.0.7')
    await registration.update({ tags: ['later'] })
    expect(store.entries.get('w')?.service.address).toBe('10.0.0.7')
  })
})

/** A registry that refuses so many writes. */
function refusing(error: ProconsulError, times: number) {
  const played = registering()
  const open = played.registry.open.bind(played.registry)
  let left = times
  played.registry.open = (definition, boot) => {
    const record = open(definition, boot)
    const put = record.put.bind(record)
    return Object.assign(record, {
      put: (...args: Parameters<typeof put>) => (left-- > 0 ? Promise.reject(error) : put(...args)),
    })
  }
  return played
}

describe('who waits for a registration', () => {
  it('hears of each try that failed, and of none after it', async () => {
    const { clock, register } = refusing(failure('PROCONSUL_UNAVAILABLE'), 3)
    const heard: string[] = []
    const registering = register({ onRegisterFailed: ({ code }) => heard.push(code) })
    await clock.advance(2_000)
    const registration = await registering
    expect(heard).toEqual(Array.from({ length: 3 }, () => 'PROCONSUL_UNAVAILABLE'))
    expect(registration.listenerCount('registerFailed')).toBe(0)
  })

  it('may throw while hearing of it: the registration goes on', async () => {
    const { clock, logger, register } = refusing(failure('PROCONSUL_UNAVAILABLE'), 1)
    const registering = register({
      onRegisterFailed: () => {
        throw new Error('a bug')
      },
    })
    await clock.advance(1_000)
    expect([(await registering).state, logger.messages('error').length]).toEqual(['registered', 1])
  })

  it.each([{}, 'loud', null])('is told at once that %j is no function', async (onRegisterFailed) => {
    const options = { onRegisterFailed } as unknown as RegisterOptions
    await expect(registering().register(options)).rejects.toMatchObject({
      code: 'PROCONSUL_INVALID_OPTION',
      message: expect.stringContaining('onRegisterFailed') as string,
    })
  })

  it.each([
    ['five seconds of failures', failure('PROCONSUL_UNAVAILABLE'), 20, ['register-failing', 'registered']],
    ['a moment of failures', failure('PROCONSUL_UNAVAILABLE'), 2, ['registered']],
    ['a refusal', failure('PROCONSUL_PERMISSION_DENIED'), 20, ['refused', 'registered']],
  ])('and operators, are told once of %s in the background', async (_what, error, times, expected) => {
    const { clock, register, turns } = refusing(error, times)
    await register({ background: true })
    await clock.advance(60_000)
    expect(turns()).toEqual(expected)
  })
})

describe('a token that is not known', () => {
  const UNKNOWN = httpFailure({ operation: 'agent.service.register', status: 403, body: 'ACL not found' })

  it('is tried again within the time given: it may have been made a moment ago', async () => {
    const { clock, register } = refusing(UNKNOWN, 4)
    const registering = register({ timeout: '5s' })
    await clock.advance(4_000)
    expect((await registering).state).toBe('registered')
  })

  it('is no permission, which is missed at once', async () => {
    const { register } = refusing(failure('PROCONSUL_PERMISSION_DENIED'), 1)
    await expect(register({ timeout: '5s' })).rejects.toMatchObject({ code: 'PROCONSUL_PERMISSION_DENIED' })
  })
})

describe('a registration that was given up', () => {
  /** A registry that takes records, and lets them go as often as it is told. */
  function keeping(refusals: number) {
    const played = registering()
    const open = played.registry.open.bind(played.registry)
    let left = refusals
    played.registry.open = (definition, boot) => {
      const record = open(definition, boot)
      const [put, remove] = [record.put.bind(record), record.remove.bind(record)]
      return Object.assign(record, {
        put: async (...args: Parameters<typeof put>) => {
          await put(...args)
          throw failure('PROCONSUL_REJECTED')
        },
        remove: (signal: AbortSignal) =>
          left-- > 0 ? Promise.reject(failure('PROCONSUL_PERMISSION_DENIED')) : remove(signal),
      })
    }
    return played
  }
  const { signal } = new AbortController()

  it('is taken back', async () => {
    const { register, registrar, store } = keeping(0)
    await expect(register()).rejects.toMatchObject({ code: 'PROCONSUL_REJECTED' })
    expect(store.entries.size).toBe(0)
    expect(await registrar.leave(signal)).toEqual({ registrations: 0, leftBehind: [] })
  })

  it('and could not be taken back is tried again at the end, and named where that fails as well', async () => {
    for (const [refusals, left] of [
      [1, []],
      [2, ['w']],
    ] as const) {
      const { register, registrar, turns } = keeping(refusals)
      await expect(register()).rejects.toMatchObject({ code: 'PROCONSUL_REJECTED' })
      expect(turns()).toEqual(['left-behind'])
      const { leftBehind } = await registrar.leave(signal)
      expect(leftBehind.map(({ id }) => id)).toEqual(left)
    }
  })
})

describe('the async context', () => {
  const request = new AsyncLocalStorage<string>()

  it('of whoever listens is that in which listeners are called, and heartbeats and probes have none of a request', async () => {
    const { clock, registrar } = registering()
    const seen: unknown[] = []
    const registration = await request.run('request', () => registrar.registerService(WEB))
    request.run('listener', () => registration.on('heartbeat', () => seen.push(request.getStore())))
    const setTimer = clock.setTimer.bind(clock)
    clock.setTimer = (...args) => {
      seen.push(request.getStore())
      return setTimer(...args)
    }
    await request.run('advance', () => clock.advance(1))
    await clock.advance(10_000)
    expect(new Set(seen)).toEqual(new Set([undefined, 'listener']))
    await registration.deregister()
  })
})
