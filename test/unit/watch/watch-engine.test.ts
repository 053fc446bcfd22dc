import { describe, expect, it } from 'vitest'
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

  it('tells a late subscriber what is known, after subscribe has returned', async () => {
    const { texts, engine } = makeEngine()
    const script = new ScriptedRead<string>()
    texts.subscribe(query('k', script), new Heard<string>())
    await settle()
    script.answer('a', { index: 1 })
    await settle()
    const late = new Heard<string>()
    texts.subscribe(query('k', script), late)
    expect(late.values).toEqual([])
    await settle()
    expect(late.values).toEqual(['a'])
    await engine.close()
  })

  it('goes on for a grace time after the last subscriber has left, and is taken up again within it', async () => {
    const { clock, texts, engine } = makeEngine()
    const other = texts.subscribe(query('other', new ScriptedRead<string>()), new Heard<string>())
    const script = new ScriptedRead<string>()
    const first = texts.subscribe(query('k', script), new Heard<string>())
    await settle()
    script.answer('a', { index: 1 })
    await settle()
    first.close()
    await clock.advance(9_000)
    const second = texts.subscribe(query('k', script), new Heard<string>())
    await clock.advance(9_000)
    expect(script.requests).toHaveLength(2)
    second.close()
    await clock.advance(10_000)
    expect(script.requests[1]?.signal.aborted).toBe(true)
    expect(engine.debug()).toMatchObject({ queries: 1, watches: [{ key: 'other' }] })
    other.close()
    await clock.advance(10_000)
    expect(clock.pendingTimers).toBe(0)
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

  it('stops reading when all subscribers have paused, and reads anew when one goes on', async () => {
    const { texts, engine } = makeEngine()
    const script = new ScriptedRead<string>()
    const heard = new Heard<string>()
    const subscription = texts.subscribe(query('k', script), heard)
    await settle()
    script.answer('a', { index: 1 })
    await settle()
    subscription.pause()
    await settle()
    expect(script.requests.at(-1)?.signal.aborted).toBe(true)
    subscription.resume()
    await settle()
    expect(script.requests.at(-1)?.index).toBeUndefined()
    await engine.close()
  })

  it('tells one that goes on what it missed and others heard, without another read', async () => {
    const { clock, texts, engine } = makeEngine()
    const script = new ScriptedRead<string>()
    const [heard, other] = [new Heard<string>(), new Heard<string>()]
    const subscription = texts.subscribe(query('k', script), heard)
    texts.subscribe(query('k', script), other)
    await settle()
    script.answer('a', { index: 1 })
    await settle()
    subscription.pause()
    script.answer('b', { index: 2 })
    await clock.advance(0)
    expect([heard.values, other.values]).toEqual([['a'], ['a', 'b']])
    const reads = script.requests.length
    subscription.resume()
    await settle()
    expect(heard.values).toEqual(['a', 'b'])
    expect(script.requests).toHaveLength(reads)
    await engine.close()
  })

  it('tells one that goes on in an outage of the outage as well, after the value that it missed', async () => {
    const { clock, texts, engine } = makeEngine()
    const script = new ScriptedRead<string>()
    const heard = new Heard<string>()
    const subscription = texts.subscribe(query('k', script), heard)
    texts.subscribe(query('k', script), new Heard<string>())
    await settle()
    script.answer('a', { index: 1 })
    await settle()
    script.fail(failure())
    await settle()
    subscription.pause()
    while (script.pending === 0) await clock.advanceToNext()
    script.answer('b', { index: 2 })
    await settle()
    while (script.pending === 0) await clock.advanceToNext()
    script.fail(failure())
    await settle()
    subscription.resume()
    await settle()
    const unavailable = 'failure PROCONSUL_UNAVAILABLE'
    expect(heard.events).toEqual(['value a', unavailable, 'value b', unavailable])
    await engine.close()
  })

  it('says when the value that was told was last confirmed, however much others hear', async () => {
    const { clock, texts, engine } = makeEngine()
    const script = new ScriptedRead<string>()
    const [heard, other] = [new Heard<string>(), new Heard<string>()]
    const subscription = texts.subscribe(query('k', script), heard)
    const peer = texts.subscribe(query('k', script), other)
    await settle()
    script.answer('a', { index: 1 })
    await clock.advance(1_000)
    script.answer('a', { index: 2 })
    await clock.advance(1_000)
    const confirmedAt = clock.now() - 1_000
    expect(subscription.snapshot?.receivedAt).toBe(confirmedAt)
    subscription.pause()
    script.answer('b', { index: 3 })
    await settle()
    expect(subscription.snapshot).toMatchObject({ value: 'a', receivedAt: confirmedAt })
    expect(peer.snapshot).toMatchObject({ value: 'b', receivedAt: clock.now() })
    subscription.resume()
    await settle()
    expect(subscription.snapshot).toMatchObject({ value: 'b', receivedAt: clock.now() })
    expect(heard.replaced).toEqual([undefined, confirmedAt])
    await engine.close()
  })

  it('goes on when an observer throws', async () => {
    const { texts, engine, logged } = makeEngine()
    const script = new ScriptedRead<string>()
    const heard = new Heard<string>()
    const bad = new Heard<string>()
    bad.onValue = () => {
      throw new Error('boom')
    }
    texts.subscribe(query('k', script), bad)
    texts.subscribe(query('k', script), heard)
    await settle()
    script.answer('a', { index: 1 })
    await settle()
    expect(heard.values).toEqual(['a'])
    expect(logged).toContain('error an observer of a watch failed')
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

  it('cuts a back-off short when asked for a fresh read, but not again and again', async () => {
    const { clock, texts, engine } = makeEngine({ interval: 250 })
    const script = new ScriptedRead<string>()
    const subscription = texts.subscribe(query('k', script), new Heard<string>())
    await settle()
    for (let round = 0; round < 6; round++) {
      script.fail(failure('PROCONSUL_NOT_FOUND'))
      while (script.pending === 0) await clock.advanceToNext()
    }
    script.fail(failure('PROCONSUL_NOT_FOUND'))
    await settle()
    subscription.refresh()
    await settle()
    expect(script.pending).toBe(1)
    script.fail(failure('PROCONSUL_NOT_FOUND'))
    await settle()
    subscription.refresh()
    await settle()
    expect(script.pending).toBe(0)
    await engine.close()
  })

  it('refuses to watch after it was closed', async () => {
    const { texts, engine } = makeEngine()
    await engine.close()
    expect(() => texts.subscribe(query('k', new ScriptedRead<string>()), new Heard<string>())).toThrow(
      expect.objectContaining({ code: 'PROCONSUL_CLOSED' }) as Error,
    )
  })
})
