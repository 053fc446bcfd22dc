import { describe, expect, it } from 'vitest'
import { failover } from '../../../src/instances/failover.js'
import { FakeClock } from '../../support/fake-clock.js'
import { runtimeOn, ScriptedSource, ToldList } from './scripted-source.js'

const MIN_INSTANCES = 2
const UNREADABLE_AFTER_MS = 15_000
const BACK_AFTER_MS = 30_000

function between(afterMs = 0) {
  const clock = new FakeClock()
  const [local, near, far] = [new ScriptedSource('local'), new ScriptedSource('near'), new ScriptedSource('far')]
  const heard = new ToldList()
  const serving: string[] = []
  const options = {
    minInstances: MIN_INSTANCES,
    afterMs,
    unreadableAfterMs: UNREADABLE_AFTER_MS,
    backAfterMs: BACK_AFTER_MS,
  }
  const source = failover([local, near, far], {
    runtime: runtimeOn(clock),
    options,
    onServing: ({ label }) => void serving.push(label),
  })
  return { clock, local, near, far, source, heard, told: heard.told, hold: source.observe(heard), serving }
}

describe('the fallback on another datacenter', () => {
  it('is not used while the own one can serve, and waits for its first answer', () => {
    const { local, near, told } = between()
    near.value(['n1', 'n2'])
    expect(told).toEqual([])
    local.value(['l1', 'l2'])
    near.value(['n1', 'n2', 'n3'])
    expect(told).toEqual(['value l1,l2'])
  })

  it('serves at once when the own one answers with too few, or could not be read yet', () => {
    for (const breakDown of ['too few', 'failure'] as const) {
      const { local, near, told } = between()
      near.value(['n1', 'n2'])
      if (breakDown === 'too few') local.value(['l1'])
      else local.failure()
      expect(told).toEqual(['value n1,n2'])
    }
  })

  it('waits as long as told before it is used', async () => {
    const { clock, local, near, told } = between(5_000)
    local.value(['l1', 'l2'])
    near.value(['n1', 'n2'])
    local.value(['l1'])
    await clock.advance(4_999)
    expect(told).toEqual(['value l1,l2', 'value l1'])
    await clock.advance(1)
    expect(told.at(-1)).toBe('value n1,n2')
  })

  it('is not used for a short outage of the own one, whose last list is kept and is right again after it', async () => {
    const { clock, local, near, told } = between()
    local.value(['l1', 'l2'])
    near.value(['n1', 'n2'])
    local.failure()
    await clock.advance(UNREADABLE_AFTER_MS - 1)
    local.again()
    await clock.advance(60_000)
    expect(told).toEqual(['value l1,l2', 'failure PROCONSUL_UNAVAILABLE', 'value l1,l2'])
    expect(clock.pendingTimers).toBe(0)
  })

  it('is used when the own one cannot be read for longer than its patience', async () => {
    const { clock, local, near, told } = between()
    local.value(['l1', 'l2'])
    near.value(['n1', 'n2'])
    local.failure()
    await clock.advance(UNREADABLE_AFTER_MS - 1)
    local.failure('PROCONSUL_NO_LEADER')
    expect(told.slice(1)).toEqual(['failure PROCONSUL_UNAVAILABLE', 'failure PROCONSUL_NO_LEADER'])
    await clock.advance(1)
    expect(told.at(-1)).toBe('value n1,n2')
  })

  it('is used at once when what can be read no more had too few', () => {
    const { local, near, told } = between()
    local.value(['l1'])
    local.failure()
    near.value(['n1', 'n2'])
    expect(told.at(-1)).toBe('value n1,n2')
  })

  it('gives the own one its time again when nothing could be read, as while the agent was down', async () => {
    const { clock, local, near, far, told } = between()
    local.value(['l1', 'l2'])
    near.value(['n1', 'n2'])
    far.value(['f1', 'f2'])
    for (const source of [local, near, far]) source.failure()
    await clock.advance(60_000)
    far.again()
    await clock.advance(1_000)
    near.again()
    await clock.advance(UNREADABLE_AFTER_MS - 1_001)
    expect(told).toEqual(['value l1,l2', 'failure PROCONSUL_UNAVAILABLE'])
    await clock.advance(1)
    expect(told.at(-1)).toBe('value n1,n2')
  })

  it('gives way to the own one only after that has been able for a while', async () => {
    const { clock, local, near, told } = between()
    local.value([])
    near.value(['n1', 'n2'])
    local.value(['l1', 'l2'])
    await clock.advance(20_000)
    local.failure()
    local.again()
    await clock.advance(BACK_AFTER_MS - 1)
    expect(told).toEqual(['value ', 'value n1,n2'])
    await clock.advance(1)
    expect(told.at(-1)).toBe('value l1,l2')
  })

  it('does not give way to an own one that flaps when it cannot be read itself for a moment', async () => {
    const { clock, local, near, told } = between()
    local.value([])
    near.value(['n1', 'n2'])
    local.value(['l1', 'l2'])
    near.failure()
    await clock.advance(UNREADABLE_AFTER_MS - 1)
    expect(told).toEqual(['value ', 'value n1,n2', 'failure PROCONSUL_UNAVAILABLE'])
    await clock.advance(1)
    expect(told.at(-1)).toBe('value l1,l2')
  })

  it('keeps the last list when neither can serve, and tells why', async () => {
    const { clock, local, near, far, told } = between()
    local.value(['l1', 'l2'])
    near.failure()
    far.value([])
    local.failure()
    await clock.advance(60_000)
    expect(told).toEqual(['value l1,l2', 'failure PROCONSUL_UNAVAILABLE'])
  })

  it('tells nothing while it is paused, and takes up the time where it was left', async () => {
    const { clock, local, near, told, hold } = between(5_000)
    local.value(['l1', 'l2'])
    near.value(['n1', 'n2'])
    local.value(['l1'])
    await clock.advance(3_000)
    hold.pause?.()
    hold.pause?.()
    expect([local.isPaused, near.isPaused, clock.pendingTimers]).toEqual([true, true, 0])
    await clock.advance(60_000)
    hold.resume?.()
    hold.resume?.()
    await clock.advance(1_999)
    expect(told).toEqual(['value l1,l2', 'value l1'])
    await clock.advance(1)
    expect(told.at(-1)).toBe('value n1,n2')
    expect([local.isPaused, near.isPaused]).toEqual([false, false])
  })

  it('closes all and leaves no timer, also when it is paused', async () => {
    for (const isPaused of [false, true]) {
      const { clock, local, near, far, hold } = between(5_000)
      near.value(['n1', 'n2'])
      local.value([])
      if (isPaused) hold.pause?.()
      await hold.close()
      hold.resume?.()
      expect([local.isClosed, near.isClosed, far.isClosed, clock.pendingTimers]).toEqual([true, true, true, 0])
    }
  })

  it('is named, once, each time that another source serves', async () => {
    const { clock, local, near, serving, source } = between()
    local.value(['l1', 'l2'])
    local.again()
    near.value(['n1', 'n2'])
    local.value([])
    local.value(['l1', 'l2'])
    await clock.advance(BACK_AFTER_MS)
    expect(serving).toEqual(['local', 'near', 'local'])
    expect(source.label).toBe('local, else near, else far')
  })

  it('moves the age of the list in use, and of no other', () => {
    const { local, near, heard } = between()
    local.value(['l1', 'l2'])
    near.value(['n1', 'n2'])
    near.again()
    local.again({ confirmedAt: 7_000 })
    expect(heard.lists.map(({ confirmedAt }) => confirmedAt)).toEqual([101, 7_000])
  })

  it('passes on the doubts of the source in use only, and every problem and saved list', () => {
    const { local, near, told } = between()
    near.doubt()
    local.doubt()
    near.problem()
    local.saved(['s1'], 5)
    expect(told).toEqual(['doubt', 'problem PROCONSUL_CACHE_FAILED', 'saved s1 at 5'])
  })

  it('is asked to look again as the own one is', () => {
    const { local, near, far, hold } = between()
    hold.refresh?.()
    expect([local, near, far].map(({ refreshes }) => refreshes)).toEqual([1, 1, 1])
  })

  it('hears nothing more once it is closed', async () => {
    const { local, told, hold } = between()
    await hold.close()
    local.value(['l1', 'l2'])
    local.failure()
    expect(told).toEqual([])
  })

  it('makes no timer when what it tells closes it', async () => {
    const { clock, local, near, heard, hold } = between()
    near.value(['n1', 'n2'])
    heard.onValue = () => void hold.close()
    local.value([])
    await clock.advance(0)
    expect(clock.pendingTimers).toBe(0)
  })
})
