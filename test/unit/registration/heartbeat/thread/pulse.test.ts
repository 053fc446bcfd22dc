import { describe, expect, it } from 'vitest'
import { PulseReader } from '../../../../../src/registration/heartbeat/thread/pulse.js'
import { FakeClock } from '../../../../support/fake-clock.js'

function reading() {
  const clock = new FakeClock()
  const pulse = new Int32Array(new SharedArrayBuffer(4))
  const reader = new PulseReader(pulse, clock)
  return { clock, reader, move: () => Atomics.add(pulse, 0, 1) }
}

describe('the pulse of the main thread', () => {
  it('says for how long it has stood still, and nothing while it moves', async () => {
    const { clock, reader, move } = reading()
    for (let look = 1; look <= 3; look++) {
      await clock.advance(100)
      move()
      expect(reader.blockedMs()).toBe(0)
    }
    for (const blockedMs of [100, 200, 300]) {
      await clock.advance(100)
      expect(reader.blockedMs()).toBe(blockedMs)
    }
    move()
    expect(reader.blockedMs()).toBe(0)
  })

  it('stands still from the first moment where the main thread never begins to move', async () => {
    const { clock, reader } = reading()
    await clock.advance(400)
    expect(reader.blockedMs()).toBe(400)
  })

  it('is given time to come back after the whole process stood still', async () => {
    const { clock, reader } = reading()
    await clock.advance(500)
    expect(reader.blockedMs()).toBe(500)
    await clock.advance(501)
    expect(reader.blockedMs()).toBe(0)
    await clock.advance(100)
    expect(reader.blockedMs()).toBe(100)
  })
})
