import { AsyncLocalStorage } from 'node:async_hooks'
import { describe, expect, it } from 'vitest'
import { AGENT_SCOPE, scopeOf } from '../../../src/watch/read-scope.js'
import type { WatchRead, WatchReading } from '../../../src/watch/watch-query.js'
import { settle } from '../../support/fake-clock.js'
import { failure, Heard, makeEngine, query } from './harness.js'
import { ScriptedRead } from './scripted-read.js'

describe('the engine of all watches', () => {
  it('reads once for all who subscribe to the same key', async () => {
    const { texts, engine } = makeEngine()
    const script = new ScriptedRead<string>()
    const heard = [new Heard<string>(), new Heard<string>()]
    for (const each of heard) texts.subscribe(query('k', script), each)
    await settle()
    expect(script.requests).toHaveLength(1)
    script.answer('a', { index: 1 })
    await settle()
    expect(heard.map(({ values }) => values)).toEqual([['a'], ['a']])
    await engine.close()
  })

  it('goes on for half a second only when nobody listens to anything, so that a process that is done can end', async () => {
    const { clock, texts, engine } = makeEngine()
    const script = new ScriptedRead<string>()
    const subscription = texts.subscribe(query('k', script), new Heard<string>())
    await settle()
    subscription.close()
    expect(script.requests[0]?.signal.aborted).toBe(false)
    await clock.advance(500)
    expect(script.requests[0]?.signal.aborted).toBe(true)
    expect(engine.debug()).toMatchObject({ queries: 0, watches: [] })
    expect(clock.pendingTimers).toBe(0)
  })

  it('lets only so many queries linger', async () => {
    const { texts, engine } = makeEngine()
    for (let number = 0; number < 100; number++) {
      texts.subscribe(query(`k${number}`, new ScriptedRead<string>()), new Heard<string>()).close()
    }
    expect(engine.debug().watches.length).toBe(32)
    await engine.close()
  })

  it('drops the read position of every query of a scope when one of them lost the agent', async () => {
    const { clock, texts, engine } = makeEngine()
    const [a, b] = [new ScriptedRead<string>(), new ScriptedRead<string>()]
    texts.subscribe(query('a', a), new Heard<string>())
    texts.subscribe(query('b', b), new Heard<string>())
    await settle()
    a.answer('a', { index: 100 })
    b.answer('b', { index: 100 })
    await settle()
    a.fail(failure())
    await settle()
    b.answer('b2', { index: 101 })
    await clock.advance(500)
    expect(b.requests.at(-1)?.index).toBeUndefined()
    await engine.close()
  })

  it('refuses to watch after it was closed', async () => {
    const { texts, engine } = makeEngine()
    await engine.close()
    expect(() => texts.subscribe(query('k', new ScriptedRead<string>()), new Heard<string>())).toThrow(
      expect.objectContaining({ code: 'PROCONSUL_CLOSED' }) as Error,
    )
  })

  it('shares nothing between queries of different kinds', async () => {
    const { texts, engine } = makeEngine()
    const others = engine.family<string>({ name: 'other', reconcile: (previous) => previous })
    const [one, other] = [new ScriptedRead<string>(), new ScriptedRead<string>()]
    texts.subscribe(query('k', one), new Heard<string>())
    others.subscribe(query('k', other), new Heard<string>())
    await settle()
    expect([one.pending, other.pending]).toEqual([1, 1])
    expect(engine.debug().watches.map(({ kind }) => kind)).toEqual(['text', 'other'])
    await engine.close()
  })

  it('tells a query that begins in an outage at once why it has to wait, and of each new reason', async () => {
    const { clock, texts, engine } = makeEngine()
    const scripts = Array.from({ length: 12 }, (_, number) => {
      const script = new ScriptedRead<string>()
      texts.subscribe(query(`k${number}`, script), new Heard<string>())
      return script
    })
    const failing = (): ScriptedRead<string> | undefined => scripts.find(({ pending }) => pending > 0)
    await settle()
    for (let round = 0; round < 20; round++) {
      for (let script = failing(); script !== undefined; script = failing()) {
        script.fail(failure())
        await settle()
      }
      await clock.advanceToNext()
    }
    const [late, heard] = [new ScriptedRead<string>(), new Heard<string>()]
    const subscription = texts.subscribe(query('late', late), heard)
    expect(heard.events).toEqual([])
    await settle()
    expect(heard.events).toEqual(['failure PROCONSUL_UNAVAILABLE'])
    expect(subscription.failure?.message).toBe('a scripted failure')
    expect(engine.debug().watches.at(-1)).toMatchObject({ state: 'backing-off', reads: 0 })
    while (failing() === undefined) {
      if (late.pending > 0) late.fail(failure())
      await clock.advanceToNext()
    }
    failing()?.fail(failure('PROCONSUL_NO_LEADER'))
    await settle()
    expect(heard.events).toEqual(['failure PROCONSUL_UNAVAILABLE', 'failure PROCONSUL_NO_LEADER'])
    while (late.pending === 0) {
      await clock.advance(10)
      for (const script of scripts)
        if (script.pending > 0 && script.next.index === undefined) script.answer('up', { index: 1 })
    }
    late.answer('a', { index: 1 })
    await settle()
    expect(heard.events.slice(2)).toEqual(['recovery', 'value a'])
    await engine.close()
  })

  it('tells nothing of an outage to one that has paused or closed behind it', async () => {
    const { clock, texts, engine } = makeEngine()
    const script = new ScriptedRead<string>()
    texts.subscribe(query('k', script), new Heard<string>())
    await settle()
    script.fail(failure())
    await settle()
    const heard = [new Heard<string>(), new Heard<string>()] as const
    const [paused, closed] = heard.map((each, number) =>
      texts.subscribe(query(`${number}`, new ScriptedRead<string>()), each),
    )
    paused?.pause()
    closed?.close()
    while (script.pending === 0) await clock.advanceToNext()
    script.fail(failure('PROCONSUL_NO_LEADER'))
    await settle()
    expect(heard.map(({ events }) => events)).toEqual([[], []])
    await engine.close()
  })

  it('goes on asking the agent itself while no leader answers, and takes that for no sign of a leader', async () => {
    const { clock, texts, engine } = makeEngine()
    const [record, service] = [new ScriptedRead<string>(), new ScriptedRead<string>()]
    texts.subscribe(query('record', record, { scope: AGENT_SCOPE, pollMs: 1_000 }), new Heard<string>())
    texts.subscribe(query('service', service), new Heard<string>())
    await settle()
    const reads = { record: 0, service: 0 }
    for (const until = clock.monotonic() + 60_000; clock.monotonic() < until;) {
      if (record.pending > 0) record.answer('there', {})
      if (service.pending > 0) service.fail(failure('PROCONSUL_NO_LEADER'))
      await clock.advance(100)
      reads.record = record.requests.length
      reads.service = service.requests.length
    }
    expect(reads.record).toBeGreaterThan(50)
    expect(reads.service).toBeLessThan(15)
    await engine.close()
  })

  it.each([
    ['another datacenter', scopeOf({ datacenter: 'dc2' })],
    ['any server', scopeOf({ stale: true })],
    ['the cache of the agent', scopeOf({ cached: true })],
    ['the agent itself', AGENT_SCOPE],
  ])('does not hold up reads of %s when the leader of its own fails', async (_who, scope) => {
    const { clock, texts, engine } = makeEngine()
    const [own, other] = [new ScriptedRead<string>(), new ScriptedRead<string>()]
    const heard = new Heard<string>()
    texts.subscribe(query('own', own), new Heard<string>())
    await settle()
    own.fail(failure('PROCONSUL_NO_LEADER'))
    await settle()
    texts.subscribe(query('other', other, { scope }), heard)
    await settle()
    expect([other.pending, heard.events]).toEqual([1, []])
    other.answer('a', { index: 1 })
    await clock.advance(100)
    expect(own.pending).toBe(0)
    await engine.close()
  })

  it('ends once, however often it is closed, and leaves no timer, also not that of an outage', async () => {
    const { clock, texts, engine } = makeEngine()
    const [up, down] = [new ScriptedRead<string>(), new ScriptedRead<string>()]
    texts.subscribe(query('up', up, { scope: AGENT_SCOPE }), new Heard<string>())
    texts.subscribe(query('down', down), new Heard<string>())
    texts.subscribe(query('left', new ScriptedRead<string>()), new Heard<string>()).close()
    await settle()
    down.fail(failure())
    await settle()
    const closing = engine.close()
    expect(engine.close()).toBe(closing)
    await closing
    expect(clock.pendingTimers).toBe(0)
    expect(up.requests[0]?.signal.aborted).toBe(true)
    expect(engine.debug().watches).toEqual([])
  })

  it('reads for someone anew when the last query that lingers is wanted again', async () => {
    const { clock, texts, engine } = makeEngine()
    const script = new ScriptedRead<string>()
    texts.subscribe(query('k', script), new Heard<string>()).close()
    await clock.advance(499)
    texts.subscribe(query('k', script), new Heard<string>())
    await clock.advance(60_000)
    expect(script.requests[0]?.signal.aborted).toBe(false)
    await engine.close()
  })
})

describe('the async context', () => {
  it('of whoever begins, resumes, hurries or ends a watch is not that of its reads, timers and calls', async () => {
    const requests = new AsyncLocalStorage<string>()
    const seen = new Set<string>()
    const look = (): void => void seen.add(requests.getStore() ?? 'none')
    const { clock, texts, engine } = makeEngine()
    const script = new ScriptedRead<string>()
    const setTimer = clock.setTimer.bind(clock)
    clock.setTimer = (callback, delayMs, options) => {
      look()
      return setTimer(callback, delayMs, options)
    }
    const read = (request: WatchRead): Promise<WatchReading<string>> => {
      look()
      request.signal.addEventListener('abort', look)
      return script.read(request)
    }
    const observer = { onValue: look, onFailure: look, onRecovery: look, onConfirmed: look }
    const [one, other] = ['one', 'other'].map((name) =>
      requests.run(name, () => texts.subscribe(query('k', { read }), observer)),
    )
    await settle()
    script.answer('a', { index: 1 })
    await settle()
    script.fail(failure())
    await settle()
    requests.run('hurry', () => one?.refresh())
    while (script.pending === 0) await clock.advanceToNext()
    script.answer('b', { index: 2 })
    await settle()
    requests.run('pause', () => [one, other].forEach((each) => each?.pause()))
    await settle()
    requests.run('resume', () => [one, other].forEach((each) => each?.resume()))
    await settle()
    script.answer('c', { index: 3 })
    await settle()
    requests.run('late', () => texts.subscribe(query('k', { read }), observer)).close()
    requests.run('close', () => [one, other].forEach((each) => each?.close()))
    await clock.advance(20_000)
    expect([...seen]).toEqual(['none'])
    await requests.run('end', () => engine.close())
  })
})
