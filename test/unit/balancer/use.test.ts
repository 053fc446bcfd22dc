import { AsyncLocalStorage } from 'node:async_hooks'
import { describe, expect, it } from 'vitest'
import { ProconsulError } from '../../../src/errors/proconsul-error.js'
import { settle } from '../../support/fake-clock.js'
import { scripted, users } from './scripted-instances.js'

function refused(): Error {
  return Object.assign(new TypeError('fetch failed'), {
    cause: Object.assign(new Error('no'), { code: 'ECONNREFUSED' }),
  })
}

function status(code: number, headers: Readonly<Record<string, string>> = {}): Error {
  return Object.assign(new Error(`status ${code}`), { status: code, headers })
}

describe('use', () => {
  it('hands over an instance, and resolves with what the call resolves with', async () => {
    const { balancer } = await scripted(users(3))
    const seen: number[] = []
    const found = await balancer.use((instance, { attempt, signal }) => {
      seen.push(attempt)
      expect(signal.aborted).toBe(false)
      return instance.id
    })
    expect(found).toMatch(/^u[123]$/)
    expect(seen).toEqual([1])
    expect(balancer.inFlight).toBe(0)
  })

  it('repeats a call that was not sent at once, on others, whatever it is', async () => {
    const { balancer, source } = await scripted(users(3))
    const tried: string[] = []
    const call = balancer.use(({ id }) => {
      tried.push(id)
      if (tried.length < 3) throw refused()
      return 'done'
    })
    expect(await call).toBe('done')
    expect(new Set(tried).size).toBe(3)
    expect(source.refreshes).toBeGreaterThan(0)
  })

  it('does not repeat a call that was sent and may have had an effect', async () => {
    const { balancer } = await scripted(users(3))
    let tries = 0
    const cut = Object.assign(new Error('cut'), { code: 'ECONNRESET' })
    const call = balancer.use(() => {
      tries += 1
      throw cut
    })
    await expect(call).rejects.toBe(cut)
    expect(tries).toBe(1)
  })

  it('repeats it after a moment where that does no harm', async () => {
    const { balancer, clock } = await scripted(users(3))
    const tried: string[] = []
    const call = balancer.use(
      ({ id }) => {
        tried.push(id)
        if (tried.length === 1) throw new Error('cut')
        return 'done'
      },
      { idempotent: true },
    )
    await settle()
    expect(tried).toHaveLength(1)
    await clock.advance(25)
    expect(await call).toBe('done')
    expect(tried[0]).not.toBe(tried[1])
  })

  it.each([400, 401, 404, 422])('does not repeat, nor hold against the instance, an answer of %i', async (code) => {
    const { balancer } = await scripted(users(3))
    const call = balancer.use(() => Promise.reject(status(code)), { idempotent: true })
    await expect(call).rejects.toThrow(`status ${code}`)
    expect(balancer.stats().reduce((sum, { failures }) => sum + failures, 0)).toBe(0)
  })

  it('gives up with the error of the last try after as many as it may', async () => {
    const { balancer, clock } = await scripted(users(5), { retry: { attempts: 4 } })
    let tries = 0
    const call = balancer.use(
      () => {
        tries += 1
        throw new Error(`try ${tries}`)
      },
      { idempotent: true },
    )
    const failed = expect(call).rejects.toThrow('try 4')
    await clock.advance(10_000)
    await failed
    await expect(balancer.use(() => Promise.reject(refused()), { retry: false })).rejects.toThrow('fetch failed')
    expect(tries).toBe(4)
  })

  it('waits as long as the answer asks to, and gives up at once when that is too long', async () => {
    const { balancer, clock } = await scripted(users(3))
    let tries = 0
    const began = clock.monotonic()
    const call = balancer.use(
      () => {
        tries += 1
        if (tries === 1) throw status(503, { 'retry-after': '2' })
        return clock.monotonic() - began
      },
      { idempotent: true },
    )
    await clock.advance(1_900)
    expect(tries).toBe(1)
    await clock.advance(200)
    expect(await call).toBeGreaterThanOrEqual(2_000)
    const hopeless = balancer.use(() => Promise.reject(status(503, { 'retry-after': '60' })), { idempotent: true })
    await expect(hopeless).rejects.toThrow('status 503')
  })

  it('takes a response of 503 for a failure, repeats it where it may, and returns the last one', async () => {
    const { balancer, clock } = await scripted(users(3))
    const cancelled: number[] = []
    const answer = (tries: number): object => ({
      status: 503,
      headers: new Headers(),
      body: { cancel: () => cancelled.push(tries) },
    })
    let tries = 0
    const call = balancer.use(() => answer((tries += 1)), { idempotent: true })
    await clock.advance(5_000)
    expect(await call).toMatchObject({ status: 503 })
    expect(tries).toBe(3)
    expect(cancelled).toEqual([1, 2])
    expect(balancer.stats().reduce((sum, { failures }) => sum + failures, 0)).toBe(3)
    expect(await balancer.use(() => ({ status: 500, ok: false }))).toEqual({ status: 500, ok: false })
  })

  it('ends by its deadline, even if the call does not, and holds that against the instance', async () => {
    const { balancer, clock } = await scripted(users(1))
    let signal: AbortSignal | undefined
    const call = balancer.use(
      (_instance, context) => {
        signal = context.signal
        return new Promise(() => undefined)
      },
      { timeout: '1s' },
    )
    const failed = expect(call).rejects.toMatchObject({
      code: 'PROCONSUL_TIMEOUT',
      message: expect.stringContaining('u1') as string,
    })
    await clock.advance(1_000)
    await failed
    expect(signal?.aborted).toBe(true)
    await settle()
    expect(balancer.stats()[0]).toMatchObject({ failures: 1, inFlight: 0 })
  })

  it('has a deadline by default', async () => {
    const { balancer, clock } = await scripted(users(1))
    const failed = expect(balancer.use(() => new Promise(() => undefined))).rejects.toMatchObject({
      code: 'PROCONSUL_TIMEOUT',
    })
    await clock.advance(30_000)
    await failed
  })

  it('asks another instance when a try takes too long and that does no harm', async () => {
    const { balancer, clock } = await scripted(users(3), { retry: { attemptTimeout: '200ms' } })
    let tries = 0
    const call = balancer.use(() => ((tries += 1) === 1 ? new Promise<string>(() => undefined) : 'done'), {
      idempotent: true,
    })
    await clock.advance(300)
    expect(await call).toBe('done')
  })

  it('asks another one beside it when the answer is late, takes the first, and stops the other', async () => {
    const { balancer, clock } = await scripted(users(3), { retry: { hedgeAfter: '50ms' } })
    const stopped: string[] = []
    let tries = 0
    const call = balancer.use(
      ({ id }, { signal }) => {
        tries += 1
        if (tries > 1) return id
        signal.addEventListener('abort', () => stopped.push(id))
        return new Promise<string>(() => undefined)
      },
      { idempotent: true },
    )
    await clock.advance(60)
    expect(await call).not.toBe(stopped[0])
    expect(stopped).toHaveLength(1)
    await settle()
    expect(balancer.inFlight).toBe(0)
    expect(balancer.stats().reduce((sum, { failures }) => sum + failures, 0)).toBe(0)
  })

  it('counts for nothing when its caller gives it up', async () => {
    const { balancer } = await scripted(users(1))
    const giving = new AbortController()
    const call = balancer.use(() => new Promise(() => undefined), { signal: giving.signal })
    await settle()
    giving.abort()
    await expect(call).rejects.toMatchObject({ code: 'PROCONSUL_ABORTED' })
    await settle()
    expect(balancer.stats()[0]).toMatchObject({ calls: 0, failures: 0, inFlight: 0 })
  })

  it('runs the call in the context of its caller, also when it is repeated', async () => {
    const { balancer, clock } = await scripted(users(3))
    const store = new AsyncLocalStorage<string>()
    const seen: (string | undefined)[] = []
    const call = store.run('request 1', () =>
      balancer.use(
        () => {
          seen.push(store.getStore())
          if (seen.length === 1) throw new Error('cut')
        },
        { idempotent: true },
      ),
    )
    await clock.advance(100)
    await call
    expect(seen).toEqual(['request 1', 'request 1'])
  })
})

describe('with no instance', () => {
  it('pick throws at once, and says why', async () => {
    const { balancer, source } = await scripted(undefined)
    expect(() => balancer.pick()).toThrow(
      expect.objectContaining({ code: 'PROCONSUL_NO_INSTANCE', retryable: true }) as Error,
    )
    source.list([], 'none-passing')
    expect(() => balancer.pick()).toThrow(expect.objectContaining({ emptyReason: 'none-passing' }) as Error)
  })

  it('use waits for one for a while, and takes the first that comes', async () => {
    const { balancer, source, clock } = await scripted([])
    const call = balancer.use(({ id }) => id)
    await clock.advance(1_000)
    source.list(users(1))
    expect(await call).toBe('u1')
  })

  it('use gives up after that, with the reason', async () => {
    const { balancer, source, clock } = await scripted(undefined, { waitForInstance: '500ms' })
    source.list([], 'not-registered')
    const failed = expect(balancer.use(({ id }) => id)).rejects.toMatchObject({
      code: 'PROCONSUL_NO_INSTANCE',
      emptyReason: 'not-registered',
    })
    await clock.advance(500)
    await failed
    await expect(balancer.use(({ id }) => id, { waitForInstance: 0 })).rejects.toMatchObject({
      code: 'PROCONSUL_NO_INSTANCE',
    })
  })

  it('use waits for the first list as long as the call may take', async () => {
    const { balancer, source, clock } = await scripted(undefined)
    const call = balancer.use(({ id }) => id)
    await clock.advance(20_000)
    source.list(users(1))
    expect(await call).toBe('u1')
  })

  it('use does not wait where the list can never be read', async () => {
    const { balancer, source } = await scripted(undefined)
    source.fail(new ProconsulError('PROCONSUL_PERMISSION_DENIED', 'the token may not'))
    await expect(balancer.use(({ id }) => id)).rejects.toMatchObject({
      code: 'PROCONSUL_NO_INSTANCE',
      message: expect.stringContaining('the token may not') as string,
    })
  })
})

describe('when everything fails', () => {
  it('sends at most 1.25 times the calls that are asked for', async () => {
    const { balancer, clock } = await scripted(users(5), { outliers: false })
    let sent = 0
    const asked = 4_000
    for (let call = 0; call < asked; call += 1) {
      const done = balancer.use(
        () => {
          sent += 1
          throw refused()
        },
        { idempotent: true },
      )
      done.catch(() => undefined)
      if (call % 100 === 99) await clock.advance(100)
    }
    await clock.advance(60_000)
    expect(sent / asked).toBeGreaterThan(1.15)
    expect(sent / asked).toBeLessThanOrEqual(1.25)
    expect(balancer.inFlight).toBe(0)
  })
})

describe('wrap', () => {
  it('puts every use into a circuit breaker: closed, open, half-open', async () => {
    let state: 'closed' | 'open' | 'half-open' = 'closed'
    let failures = 0
    const breaker = {
      async execute<T>(call: () => Promise<T>): Promise<T> {
        if (state === 'open') throw new Error('the circuit is open')
        try {
          const value = await call()
          ;[state, failures] = ['closed', 0]
          return value
        } catch (error) {
          failures += 1
          if (failures >= 2 || state === 'half-open') state = 'open'
          throw error
        }
      },
    }
    const { balancer } = await scripted(users(2), { wrap: breaker, outliers: false })
    const fail = (): Promise<never> => Promise.reject(new Error('no'))
    await expect(balancer.use(fail)).rejects.toThrow('no')
    await expect(balancer.use(fail)).rejects.toThrow('no')
    await expect(balancer.use(() => 'never')).rejects.toThrow('the circuit is open')
    state = 'half-open'
    expect(await balancer.use(() => 'well again')).toBe('well again')
    expect(state).toBe('closed')
  })
})
