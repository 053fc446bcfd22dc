import { describe, expect, test } from 'vitest'
import { StateStore } from '../../../../src/testing/state/state-store.js'
import { topics } from '../../../../src/testing/state/wake-ups.js'

const write = (key: string, value = 'v') => ({ key, value: Buffer.from(value), flags: 0n })

describe('the replicated state', () => {
  test('a change that throws is undone whole, and wakes nobody, though its log entry is spent', () => {
    const store = new StateStore(() => 0)
    store.apply((tx) => store.kv.set(tx, write('a', 'old')))
    const { index } = store
    let woken = 0
    store.wakeUps.watch([topics.key('a'), topics.key('b'), topics.below('kv', '')], () => (woken += 1))
    expect(() =>
      store.apply((tx) => {
        store.kv.set(tx, write('a', 'new'))
        store.kv.set(tx, write('b'))
        store.kv.delete(tx, 'a')
        throw new Error('no')
      }),
    ).toThrow('no')
    expect(store.kv.get('a')?.value.toString()).toBe('old')
    expect(store.kv.get('b')).toBeUndefined()
    expect(store.kv.read('a').index).toBe(index)
    expect(store.kv.list('b').index).toBe(index)
    expect([woken, store.index]).toEqual([0, index + 1])
  })

  test('a waiter is woken once by a change that touches several of its topics', () => {
    const store = new StateStore(() => 0)
    let woken = 0
    const stop = store.wakeUps.watch(
      [topics.key('a'), topics.below('kv', ''), topics.below('kv', 'a')],
      () => (woken += 1),
    )
    store.apply((tx) => store.kv.set(tx, write('a')))
    expect(woken).toBe(1)
    stop()
    store.apply((tx) => store.kv.set(tx, write('a', 'other')))
    expect([woken, store.wakeUps.size]).toEqual([1, 0])
  })

  test('tombstones raise the index of their prefix until they are reaped', () => {
    let nowMs = 0
    const store = new StateStore(() => nowMs)
    store.apply((tx) => store.kv.set(tx, write('x/a')))
    const low = store.kv.list('x/').index
    store.apply((tx) => store.kv.set(tx, write('x/b')))
    store.apply((tx) => store.kv.delete(tx, 'x/b'))
    expect(store.kv.list('x/').index).toBe(store.index)
    nowMs = 900_000
    expect(store.apply((tx) => store.kv.reapTombstones(tx, 900_000))).toBe(1)
    expect(store.kv.list('x/').index).toBe(low)
    expect(store.kv.hasTombstones).toBe(false)
  })

  test('clearing goes on counting, or starts over when the servers lost their data', () => {
    const store = new StateStore(() => 0)
    for (let i = 0; i < 20; i++) store.apply((tx) => store.kv.set(tx, write(`k${i}`)))
    const { index } = store
    store.clear({ restartIndex: false })
    expect([store.index, store.kv.list('').value]).toEqual([index, []])
    store.clear({ restartIndex: true })
    expect(store.index).toBeLessThan(index)
    expect(store.generation).toBe(2)
  })
})
