import { describe, expect, it } from 'vitest'
import { settle } from '../../support/fake-clock.js'
import { failure, Heard, makeEngine, query, type Harness } from './harness.js'
import { ScriptedRead } from './scripted-read.js'

function watch(
  harness: Harness,
  facts: { readonly stale?: boolean } = {},
): { script: ScriptedRead<string>; heard: Heard<string> } {
  const script = new ScriptedRead<string>()
  const heard = new Heard<string>()
  harness.texts.subscribe(query('k', script, facts), heard)
  return { script, heard }
}

describe('the loop of one query', () => {
  it('reads first without an index, then waits by the index of the answer', async () => {
    const harness = makeEngine()
    const { script, heard } = watch(harness)
    await settle()
    expect(script.next).toMatchObject({ waitMs: 0, fresh: false })
    expect(script.next.index).toBeUndefined()
    script.answer('a', { index: 7 })
    await settle()
    expect(heard.events).toEqual(['value a'])
    expect(script.next.index).toBe(7)
    await harness.engine.close()
  })

  it('tells of a change without a pause, also twice in a row after quiet, and then keeps to the interval', async () => {
    const harness = makeEngine({ interval: 250 })
    const { script, heard } = watch(harness)
    await settle()
    script.answer('a', { index: 1 })
    await harness.clock.advance(5_000)
    script.answer('b', { index: 2 })
    await settle()
    script.answer('c', { index: 3 })
    await settle()
    script.answer('d', { index: 4 })
    await settle()
    expect(heard.values).toEqual(['a', 'b', 'c', 'd'])
    expect(script.pending).toBe(0)
    await harness.clock.advance(249)
    expect(script.pending).toBe(0)
    await harness.clock.advance(1)
    expect(script.next.index).toBe(4)
    await harness.engine.close()
  })

  it('asks for a packed answer until it knows that the answer is small', async () => {
    const harness = makeEngine()
    const { script } = watch(harness)
    await settle()
    expect(script.next.compress).toBe(true)
    script.answer('a', { index: 1, bodyBytes: 16_384 })
    await settle()
    expect(script.next.compress).toBe(false)
    script.answer('b', { index: 2, bodyBytes: 16_385 })
    await settle()
    expect(script.next.compress).toBe(true)
    await harness.engine.close()
  })

  it('tells nobody when an answer brings nothing new', async () => {
    const harness = makeEngine()
    const { script, heard } = watch(harness)
    await settle()
    script.answer('a', { index: 1 })
    await settle()
    script.answer('a', { index: 2 })
    await settle()
    expect(heard.values).toEqual(['a'])
    await harness.engine.close()
  })

  it('starts anew without an index when the index goes backwards, and does not trust that answer', async () => {
    const harness = makeEngine()
    const { script, heard } = watch(harness)
    await settle()
    script.answer('a', { index: 19 })
    await settle()
    script.answer('old', { index: 14 })
    await settle()
    expect(script.next.index).toBeUndefined()
    script.answer('b', { index: 14 })
    await settle()
    if (script.pending === 0) await harness.clock.advance(250)
    expect(script.next.index).toBe(14)
    expect(heard.values).toEqual(['a', 'b'])
    await harness.engine.close()
  })

  it('treats an index of zero as one, which blocks', async () => {
    const harness = makeEngine()
    const { script } = watch(harness)
    await settle()
    script.answer('a', { index: 0 })
    await settle()
    expect(script.next.index).toBe(1)
    await harness.engine.close()
  })

  it('reads without an index after a failure, for the agent may have lost its state', async () => {
    const harness = makeEngine()
    const { script, heard } = watch(harness)
    await settle()
    script.answer('a', { index: 388 })
    await settle()
    script.fail(failure())
    await settle()
    expect(heard.events).toEqual(['value a', 'failure PROCONSUL_UNAVAILABLE'])
    await harness.clock.advance(250)
    expect(script.next.index).toBeUndefined()
    script.answer('b', { index: 12 })
    await settle()
    expect(heard.events.slice(2)).toEqual(['recovery', 'value b'])
    await harness.clock.advance(250)
    expect(script.next.index).toBe(12)
    await harness.engine.close()
  })

  it('waits longer after each failure, and tells of a lasting one once', async () => {
    const harness = makeEngine()
    const { script, heard } = watch(harness)
    const delays: number[] = []
    for (let round = 0; round < 10; round++) {
      await settle()
      script.fail(failure('PROCONSUL_PERMISSION_DENIED'))
      const before = harness.clock.monotonic()
      await settle()
      while (script.pending === 0) await harness.clock.advanceToNext()
      delays.push(harness.clock.monotonic() - before)
    }
    expect(delays).toEqual([187.5, 375, 750, 1_500, 3_000, 6_000, 12_000, 22_500, 22_500, 22_500])
    expect(heard.events).toEqual(['failure PROCONSUL_PERMISSION_DENIED'])
    await harness.engine.close()
  })

  it('heeds what the agent asks to wait', async () => {
    const harness = makeEngine()
    const { script } = watch(harness)
    await settle()
    script.fail(failure('PROCONSUL_RATE_LIMITED', 3_000))
    await harness.clock.advance(2_999)
    expect(script.pending).toBe(0)
    await harness.clock.advance(1)
    expect(script.pending).toBe(1)
    await harness.engine.close()
  })

  it('reads what does not exist at a calm rate when the agent wakes it for nothing', async () => {
    const harness = makeEngine({ interval: 250 })
    const { script } = watch(harness)
    await settle()
    let answers = 0
    for (const until = harness.clock.monotonic() + 20_000; harness.clock.monotonic() < until;) {
      if (script.pending > 0) script.answer('', { index: ++answers })
      await harness.clock.advance(50)
    }
    expect(answers).toBeGreaterThan(8)
    expect(answers).toBeLessThan(16)
    await harness.engine.close()
  })

  it('reads what does not exist at the pace of the turns among more queries than places', async () => {
    const harness = makeEngine({ interval: '1s' }, 1)
    const scripts = ['a', 'b', 'c'].map((key) => {
      const script = new ScriptedRead<string>()
      harness.texts.subscribe(query(key, script), new Heard<string>())
      return script
    })
    await settle()
    const answers = scripts.map(() => 0)
    for (const until = harness.clock.monotonic() + 20_000; harness.clock.monotonic() < until;) {
      for (const [index, script] of scripts.entries()) {
        if (script.pending > 0) script.answer('', { index: (answers[index] = (answers[index] ?? 0) + 1) })
      }
      await harness.clock.advance(250)
    }
    for (const count of answers) expect(count).toBeGreaterThan(15)
    await harness.engine.close()
  })

  it('asks the leader when a server lags further than the bound, and shows nothing older', async () => {
    const harness = makeEngine({ maxStale: '10s' })
    const { script, heard } = watch(harness, { stale: true })
    await settle()
    script.answer('old', { index: 5, lastContactMs: 31_441, knownLeader: false })
    await settle()
    expect(script.next).toMatchObject({ fresh: true, waitMs: 0 })
    script.answer('new', { index: 9, lastContactMs: 0, knownLeader: true })
    await settle()
    expect(heard.values).toEqual(['new'])
    await harness.engine.close()
  })

  it('takes an answer of a server that lags a little and knows no leader during an election', async () => {
    const harness = makeEngine({ maxStale: '10s' })
    const { script, heard } = watch(harness, { stale: true })
    await settle()
    script.answer('a', { index: 5, lastContactMs: 900, knownLeader: false })
    await settle()
    expect(heard.values).toEqual(['a'])
    await harness.engine.close()
  })

  it('asks the leader when a server that lags shows an older index than one seen before', async () => {
    const harness = makeEngine()
    const { script, heard } = watch(harness, { stale: true })
    await settle()
    script.answer('new', { index: 9 })
    await settle()
    script.fail(failure())
    await harness.clock.advance(500)
    script.answer('old', { index: 5 })
    await harness.clock.advance(500)
    expect(script.next.fresh).toBe(true)
    expect(heard.values).toEqual(['new'])
    await harness.engine.close()
  })

  it('refuses an answer of a cache that has lost its servers', async () => {
    const harness = makeEngine({ maxStale: '5s' })
    const { script } = watch(harness)
    await settle()
    script.answer('a', { index: 5, cacheHit: true, cacheAgeMs: 8_000 })
    await settle()
    expect(script.next.fresh).toBe(true)
    await harness.engine.close()
  })

  it('waits by the hash where the endpoint has one', async () => {
    const harness = makeEngine()
    const { script } = watch(harness)
    await settle()
    script.answer('a', { contentHash: 'cafe' })
    await settle()
    expect(script.next.hash).toBe('cafe')
    await harness.engine.close()
  })

  it('reads at an interval where there is nothing to wait by', async () => {
    const harness = makeEngine({ pollInterval: '10s' })
    const { script } = watch(harness)
    await settle()
    script.answer('a')
    await harness.clock.advance(9_999)
    expect(script.pending).toBe(0)
    await harness.clock.advance(1)
    expect(script.next.waitMs).toBe(0)
    await harness.engine.close()
  })

  it('takes an answer that the reader cannot understand for a failure', async () => {
    const harness = makeEngine()
    const { script, heard } = watch(harness)
    await settle()
    script.fail(new TypeError('cannot read properties of undefined'))
    await settle()
    expect(heard.events).toEqual(['failure PROCONSUL_BAD_RESPONSE'])
    await harness.engine.close()
  })

  it('ends the read under way at once and leaves no timer', async () => {
    const harness = makeEngine()
    const { script } = watch(harness)
    await settle()
    script.answer('a', { index: 1 })
    await settle()
    const { signal } = script.next
    await harness.engine.close()
    expect(signal.aborted).toBe(true)
    expect(harness.clock.pendingTimers).toBe(0)
  })
})
