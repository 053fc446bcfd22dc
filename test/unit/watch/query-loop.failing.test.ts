import { describe, expect, it } from 'vitest'
import { settle } from '../../support/fake-clock.js'
import { failure, Heard, makeEngine, query, watch } from './harness.js'
import { ScriptedRead } from './scripted-read.js'

describe('the loop of a query that fails, or is asked to look again', () => {
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

  it('takes an answer that the reader cannot understand for a failure', async () => {
    const harness = makeEngine()
    const { script, heard } = watch(harness)
    await settle()
    script.fail(new TypeError('cannot read properties of undefined'))
    await settle()
    expect(heard.events).toEqual(['failure PROCONSUL_BAD_RESPONSE'])
    await harness.engine.close()
  })

  it('asks the leader again after a failure, until an answer is shown', async () => {
    const harness = makeEngine()
    const { script, heard } = watch(harness, { stale: true })
    await settle()
    script.answer('old', { index: 5, lastContactMs: 31_441 })
    await settle()
    script.fail(failure('PROCONSUL_NO_LEADER'))
    await harness.clock.advance(250)
    expect(script.next.fresh).toBe(true)
    script.answer('new', { index: 9 })
    await harness.clock.advance(250)
    expect(script.next).toMatchObject({ fresh: false, index: 9 })
    expect(heard.events).toEqual(['failure PROCONSUL_NO_LEADER', 'recovery', 'value new'])
    await harness.engine.close()
  })

  it('fails without a leader, longer apart each time, and does not take the answer for a sign that all is well', async () => {
    const harness = makeEngine()
    const { script, heard } = watch(harness)
    await settle()
    script.answer('old', { index: 5, knownLeader: false })
    await settle()
    const delays: number[] = []
    for (let round = 0; round < 4; round++) {
      script.answer('old', { index: 5, knownLeader: false })
      const before = harness.clock.monotonic()
      await settle()
      while (script.pending === 0) await harness.clock.advanceToNext()
      delays.push(harness.clock.monotonic() - before)
      expect(script.next.fresh).toBe(true)
    }
    expect(delays).toEqual([187.5, 375, 750, 1_500])
    expect(heard.events).toEqual(['failure PROCONSUL_NO_LEADER'])
    await harness.engine.close()
  })

  it('tries again within ten seconds in an outage, however long it lasts', async () => {
    const harness = makeEngine()
    const { script } = watch(harness)
    for (let round = 0; round < 12; round++) {
      await settle()
      script.fail(failure())
      const before = harness.clock.monotonic()
      await settle()
      while (script.pending === 0) await harness.clock.advanceToNext()
      expect(harness.clock.monotonic() - before).toBeLessThanOrEqual(10_000)
    }
    await harness.engine.close()
  })

  it('holds nobody up when it is refused by itself', async () => {
    const harness = makeEngine()
    const { script } = watch(harness)
    const other = new ScriptedRead<string>()
    harness.texts.subscribe(query('other', other), new Heard<string>())
    await settle()
    for (const code of ['PROCONSUL_PERMISSION_DENIED', 'PROCONSUL_BAD_RESPONSE', 'PROCONSUL_NOT_FOUND'] as const) {
      other.answer('a', { index: 1 })
      script.fail(failure(code))
      await settle()
      expect(other.pending).toBe(1)
      while (script.pending === 0) await harness.clock.advanceToNext()
    }
    await harness.engine.close()
  })

  it('lets the others go on when the one that was to find out is refused by itself', async () => {
    const harness = makeEngine()
    const { script } = watch(harness)
    const [other, heard] = [new ScriptedRead<string>(), new Heard<string>()]
    harness.texts.subscribe(query('other', other), heard)
    await settle()
    script.fail(failure())
    other.fail(failure())
    await harness.clock.advance(188)
    const [prober, waiting] = script.pending > 0 ? [script, other] : [other, script]
    expect([prober.pending, waiting.pending]).toEqual([1, 0])
    prober.fail(failure('PROCONSUL_PERMISSION_DENIED'))
    await harness.clock.advance(10)
    expect(waiting.pending).toBe(1)
    await harness.engine.close()
  })

  it('reads anew, without an index, when the agent failed another while this one waited for a place', async () => {
    const harness = makeEngine({}, 1)
    const [first, second] = [watch(harness), new ScriptedRead<string>()]
    harness.texts.subscribe(query('second', second), new Heard<string>())
    await settle()
    first.script.answer('a', { index: 1 })
    second.answer('b', { index: 1 })
    await settle()
    // One place: the first one blocks, the second one waits for its turn.
    expect([first.script.pending, second.pending]).toEqual([1, 0])
    first.script.fail(failure())
    await harness.clock.advance(1_000)
    expect(second.next.index).toBeUndefined()
    await harness.engine.close()
  })

  it('ends a wait for a turn when a fresh read is asked for', async () => {
    const harness = makeEngine({}, 1)
    const first = watch(harness)
    const second = new ScriptedRead<string>()
    const subscription = harness.texts.subscribe(query('second', second), new Heard<string>())
    await settle()
    first.script.answer('a', { index: 1 })
    second.answer('b', { index: 1 })
    await settle()
    expect(second.pending).toBe(0)
    subscription.refresh()
    await settle()
    expect(second.next.index).toBeUndefined()
    await harness.engine.close()
  })

  it('keeps the right to hurry for the next rest when there is nothing to cut short', async () => {
    const harness = makeEngine()
    const script = new ScriptedRead<string>()
    const subscription = harness.texts.subscribe(query('k', script), new Heard<string>())
    await settle()
    subscription.refresh()
    expect(script.next.signal.aborted).toBe(false)
    script.fail(failure('PROCONSUL_NOT_FOUND'))
    await settle()
    expect(script.pending).toBe(0)
    subscription.refresh()
    await settle()
    expect(script.pending).toBe(1)
    await harness.engine.close()
  })
})
