import { describe, expect, it } from 'vitest'
import { failover } from '../../../../src/discovery/sources/failover.js'
import { FakeClock } from '../../../support/fake-clock.js'
import { runtimeOn, ScriptedSource, ToldList } from './scripted-source.js'

function between(afterMs = 0) {
  const clock = new FakeClock()
  const [local, remote] = [new ScriptedSource(), new ScriptedSource()]
  const options = { datacenters: ['remote'], minInstances: 1, afterMs, backAfterMs: 30_000 }
  const told = new ToldList()
  const hold = failover([local, remote], runtimeOn(clock), options).subscribe(told)
  return { clock, local, remote, told: told.told, hold }
}

describe('the fallback on another datacenter', () => {
  it('is not used while the own one can serve, and waits for its first answer', () => {
    const { local, remote, told } = between()
    remote.value(['r1'])
    expect(told).toEqual([])
    local.value(['l1'])
    remote.value(['r1', 'r2'])
    expect(told).toEqual(['value l1'])
  })

  it('serves when the own one has none, or cannot be asked', () => {
    for (const breakDown of ['none', 'failure'] as const) {
      const { local, remote, told } = between()
      local.value(['l1'])
      remote.value(['r1'])
      if (breakDown === 'none') local.value([])
      else local.failure()
      expect(told).toEqual(['value l1', 'value r1'])
    }
  })

  it('waits as long as told before it is used', async () => {
    const { clock, local, remote, told } = between(5_000)
    local.value(['l1'])
    remote.value(['r1'])
    local.value([])
    await clock.advance(4_999)
    expect(told).toEqual(['value l1', 'value '])
    await clock.advance(1)
    expect(told.at(-1)).toBe('value r1')
  })

  it('gives way to the own one only after that has been able for a while', async () => {
    const { clock, local, remote, told } = between()
    local.value([])
    remote.value(['r1'])
    local.value(['l1'])
    await clock.advance(20_000)
    local.value([])
    local.value(['l1'])
    await clock.advance(29_999)
    expect(told.filter((line) => line.startsWith('value l'))).toEqual([])
    await clock.advance(1)
    expect(told.at(-1)).toBe('value l1')
  })

  it('keeps the last list when neither can serve, and tells why', () => {
    const { local, remote, told } = between()
    local.value(['l1'])
    remote.failure()
    local.failure()
    expect(told).toEqual(['value l1', 'failure PROCONSUL_UNAVAILABLE'])
  })

  it('closes both and leaves no timer', async () => {
    const { clock, local, remote, hold } = between(5_000)
    local.value([])
    remote.value(['r1'])
    await hold.close()
    expect([local.isClosed, remote.isClosed, clock.pendingTimers]).toEqual([true, true, 0])
  })
})
