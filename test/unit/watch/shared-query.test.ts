import { describe, expect, it } from 'vitest'
import { settle } from '../../support/fake-clock.js'
import { failure, Heard, makeEngine, query } from './harness.js'
import { ScriptedRead } from './scripted-read.js'

describe('a query and those who listen to it', () => {
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

  it('tells a late subscriber in an outage what was known, and then what is wrong', async () => {
    const { texts, engine } = makeEngine()
    const script = new ScriptedRead<string>()
    texts.subscribe(query('k', script), new Heard<string>())
    await settle()
    script.answer('a', { index: 1 })
    await settle()
    script.fail(failure())
    await settle()
    const late = new Heard<string>()
    texts.subscribe(query('k', script), late)
    await settle()
    expect(late.events).toEqual(['value a', 'failure PROCONSUL_UNAVAILABLE'])
    await engine.close()
  })

  it('tells of a failure when its code is another, of a recovery once, and of the next failure again', async () => {
    const { clock, texts, engine } = makeEngine()
    const script = new ScriptedRead<string>()
    const heard = new Heard<string>()
    const subscription = texts.subscribe(query('k', script), heard)
    const next = async (): Promise<void> => {
      await settle()
      while (script.pending === 0) await clock.advanceToNext()
    }
    const codes = [
      'PROCONSUL_UNAVAILABLE',
      'PROCONSUL_UNAVAILABLE',
      'PROCONSUL_NO_LEADER',
      undefined,
      undefined,
    ] as const
    for (const code of [...codes, 'PROCONSUL_NO_LEADER'] as const) {
      await next()
      if (code === undefined) script.answer('a', { index: 1 })
      else script.fail(failure(code))
      await settle()
      expect(subscription.failure?.code).toBe(code)
    }
    expect(heard.events).toEqual([
      'failure PROCONSUL_UNAVAILABLE',
      'failure PROCONSUL_NO_LEADER',
      'recovery',
      'value a',
      'failure PROCONSUL_NO_LEADER',
    ])
    await engine.close()
  })

  it('logs failures and recoveries for debugging only, for it is views that tell people', async () => {
    const { clock, texts, engine, logged } = makeEngine()
    const script = new ScriptedRead<string>()
    texts.subscribe(query('k', script), new Heard<string>())
    await settle()
    script.fail(failure())
    await clock.advance(250)
    script.fail(failure())
    await clock.advance(500)
    script.answer('a', { index: 1 })
    await settle()
    expect(logged).toEqual([
      'debug a query cannot be read; it is tried again and again',
      'debug a query can be read again',
    ])
    await engine.close()
  })

  it('tells nothing to one that has paused or closed, and reads nothing for it', async () => {
    const { clock, texts, engine } = makeEngine()
    const script = new ScriptedRead<string>()
    const heard = [new Heard<string>(), new Heard<string>(), new Heard<string>()] as const
    const [active, paused, closed] = heard.map((each) => texts.subscribe(query('k', script), each))
    paused?.pause()
    paused?.pause()
    closed?.close()
    closed?.close()
    await settle()
    script.answer('a', { index: 1 })
    await settle()
    script.fail(failure('PROCONSUL_NOT_FOUND'))
    await settle()
    paused?.refresh()
    closed?.refresh()
    closed?.resume()
    closed?.pause()
    await settle()
    expect(script.pending).toBe(0)
    await clock.advance(250)
    script.answer('b', { index: 2 })
    await settle()
    expect(heard.map(({ events }) => events.length)).toEqual([4, 0, 0])
    expect(engine.debug().watches[0]?.subscribers).toBe(2)
    active?.close()
    await settle()
    expect(script.requests.at(-1)?.signal.aborted).toBe(true)
    await engine.close()
  })

  it('goes on for one as long as it has not paused, whatever the others do', async () => {
    const { texts, engine } = makeEngine()
    const script = new ScriptedRead<string>()
    const [first, second] = [new Heard<string>(), new Heard<string>()].map((each) =>
      texts.subscribe(query('k', script), each),
    )
    await settle()
    first?.pause()
    expect(script.next.signal.aborted).toBe(false)
    second?.pause()
    expect(script.requests[0]?.signal.aborted).toBe(true)
    first?.resume()
    first?.resume()
    await settle()
    expect(script.requests).toHaveLength(2)
    await engine.close()
  })

  it('ends in time also when the last one to leave had paused', async () => {
    const { clock, texts, engine } = makeEngine()
    const script = new ScriptedRead<string>()
    const subscription = texts.subscribe(query('k', script), new Heard<string>())
    await settle()
    subscription.pause()
    subscription.close()
    await clock.advance(500)
    expect([engine.debug().watches, clock.pendingTimers]).toEqual([[], 0])
    await engine.close()
  })

  it('tells of a value that was read again and is the same, which moves its age', async () => {
    const { clock, texts, engine } = makeEngine()
    const script = new ScriptedRead<string>()
    const confirmed: number[] = []
    const observer = Object.assign(new Heard<string>(), {
      onConfirmed: ({ receivedAt }: { readonly receivedAt: number }) => void confirmed.push(receivedAt),
    })
    const subscription = texts.subscribe(query('k', script), observer)
    await settle()
    script.answer('a', { index: 1 })
    await clock.advance(3_000)
    script.answer('a', { index: 1 })
    await settle()
    expect([observer.values, confirmed]).toEqual([['a'], [clock.now()]])
    expect(subscription.snapshot?.receivedAt).toBe(clock.now())
    await engine.close()
  })

  it('adopts the first value, and gives later ones to whoever compares them', async () => {
    const { engine } = makeEngine()
    const lists = engine.family<readonly string[]>({
      name: 'list',
      reconcile: (previous, next) => (previous.join() === next.join() ? previous : [...next, 'reconciled']),
      adopt: (value) => [...value, 'adopted'],
    })
    const script = new ScriptedRead<readonly string[]>()
    const heard = new Heard<readonly string[]>()
    lists.subscribe(query('k', script), heard)
    await settle()
    script.answer(['a'], { index: 1 })
    await settle()
    script.answer(['a', 'adopted'], { index: 2 })
    await settle()
    script.answer(['b'], { index: 3 })
    await settle()
    expect(heard.values).toEqual([
      ['a', 'adopted'],
      ['b', 'reconciled'],
    ])
    await engine.close()
  })

  it('shows what it knows', async () => {
    const { clock, texts, engine } = makeEngine()
    const script = new ScriptedRead<string>()
    const view = (): unknown => engine.debug().watches[0]
    const subscription = texts.subscribe(query('k', script), new Heard<string>())
    const start = { kind: 'text', key: 'k', index: undefined, ageMs: undefined, failure: undefined }
    expect(view()).toEqual({ ...start, state: 'resting', subscribers: 1, hot: false, reads: 0, changes: 0 })
    await settle()
    script.answer('a', { index: 7 })
    await clock.advance(1_000)
    const read = { ...start, index: 7, ageMs: 1_000, subscribers: 1 }
    expect(view()).toEqual({ ...read, state: 'blocking', hot: false, reads: 2, changes: 1 })
    script.answer('b', { index: 8 })
    await settle()
    script.fail(failure('PROCONSUL_NOT_FOUND'))
    await settle()
    const failing = { index: 8, ageMs: 0, failure: 'PROCONSUL_NOT_FOUND: a scripted failure', state: 'backing-off' }
    expect(view()).toEqual({ ...read, ...failing, hot: true, reads: 3, changes: 2 })
    clock.jumpWallTime(-60_000)
    expect(view()).toMatchObject({ ageMs: 0 })
    subscription.close()
    expect(view()).toMatchObject({ state: 'lingering', subscribers: 0 })
    await engine.close()
  })
})
