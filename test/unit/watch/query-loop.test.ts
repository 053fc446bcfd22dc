import { describe, expect, it } from 'vitest'
import type { WatchRead, WatchReading } from '../../../src/watch/watch-query.js'
import { settle } from '../../support/fake-clock.js'
import { failure, Heard, makeEngine, query, watch } from './harness.js'
import { ScriptedRead } from './scripted-read.js'

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

  it('goes back to an index once a query that was read at an interval has one', async () => {
    const harness = makeEngine()
    const { script } = watch(harness)
    await settle()
    script.answer('a')
    await harness.clock.advance(10_000)
    script.answer('b', { index: 3 })
    await settle()
    expect(script.next).toMatchObject({ index: 3, waitMs: expect.any(Number) as number })
    expect(script.next.waitMs).toBeGreaterThan(0)
    await harness.engine.close()
  })

  it('reads at its own interval, whatever the answer has to wait by', async () => {
    const harness = makeEngine()
    const { script } = watch(harness, { pollMs: 1_000 })
    await settle()
    script.answer('a', { index: 3, contentHash: 'cafe' })
    await harness.clock.advance(999)
    expect(script.pending).toBe(0)
    await harness.clock.advance(1)
    expect(script.next).toMatchObject({ waitMs: 0, fresh: false })
    expect([script.next.index, script.next.hash]).toEqual([undefined, undefined])
    await harness.engine.close()
  })

  it('waits no longer than it has existed, then as long as it was told to', async () => {
    const harness = makeEngine({ wait: '20s' })
    const { script } = watch(harness)
    await settle()
    script.answer('a', { index: 1 })
    await settle()
    expect(script.next.waitMs).toBe(1_000)
    await harness.clock.advance(5_000)
    script.answer('a', { index: 2 })
    await settle()
    expect(script.next.waitMs).toBe(5_000)
    await harness.clock.advance(60_000)
    script.answer('a', { index: 3 })
    await settle()
    expect(script.next.waitMs).toBe(20_000)
    await harness.engine.close()
  })

  it('shows nothing of an answer that comes after it was paused', async () => {
    const harness = makeEngine()
    const heard = new Heard<string>()
    let answerLate: (reading: WatchReading<string>) => void = () => undefined
    const deaf = new Promise<WatchReading<string>>((resolve) => (answerLate = resolve))
    const script = new ScriptedRead<string>()
    const reads = [() => deaf, script.read]
    const read = (request: WatchRead): Promise<WatchReading<string>> => (reads.shift() ?? script.read)(request)
    const subscription = harness.texts.subscribe(query('k', { read }), heard)
    await settle()
    subscription.pause()
    subscription.resume()
    await settle()
    answerLate({ value: 'late', meta: { index: 1 } })
    await settle()
    expect([script.pending, harness.engine.debug().watches[0]?.state]).toEqual([1, 'reading'])
    script.answer('a', { index: 1 })
    await settle()
    expect(heard.values).toEqual(['a'])
    await harness.engine.close()
  })

  it('says what it does', async () => {
    const harness = makeEngine()
    const script = new ScriptedRead<string>()
    const subscription = harness.texts.subscribe(query('k', script), new Heard<string>())
    const state = (): string | undefined => harness.engine.debug().watches[0]?.state
    const states = [state()]
    await settle()
    states.push(state())
    script.answer('a', { index: 1 })
    await settle()
    states.push(state())
    script.fail(failure('PROCONSUL_NOT_FOUND'))
    await settle()
    states.push(state())
    subscription.refresh()
    await settle()
    states.push(state())
    script.answer('a')
    await settle()
    states.push(state())
    subscription.pause()
    states.push(state())
    expect(states).toEqual(['resting', 'reading', 'blocking', 'backing-off', 'reading', 'resting', 'stopped'])
    await harness.engine.close()
  })
})
