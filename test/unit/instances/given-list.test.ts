import { describe, expect, it } from 'vitest'
import { checkInstanceList, checkInstances } from '../../../src/instances/given-list.js'

const least = { id: 'a', name: 'web', address: '10.0.0.1', port: 80 }
const list = (facts: object = {}): object => ({ instances: [least], confirmedAt: 5, isContinuous: true, ...facts })

describe('a list that users handed over', () => {
  it('is completed, copied and frozen', () => {
    const checked = checkInstanceList(list({ revision: '7', isOrdered: true, emptyReason: 'none-passing' }))
    expect(checked).toMatchObject({ revision: '7', isOrdered: true, emptyReason: 'none-passing', confirmedAt: 5 })
    expect(checked.instances).toMatchObject([{ ...least, status: 'passing' }])
    expect([checked, checked.instances, checked.instances[0]].every(Object.isFrozen)).toBe(true)
    expect(Object.isFrozen(least)).toBe(false)
  })

  it('says nothing where nothing was said', () => {
    const { revision, isOrdered, emptyReason } = checkInstanceList(list())
    expect({ revision, isOrdered, emptyReason }).toEqual({})
  })

  it.each([
    [{ instances: undefined }, /^instances is undefined; expected an array/],
    [{ instances: {} }, /^instances is an object/],
    [{ instances: [least, 'x'] }, /^instances\[1\] is "x"/],
    [{ instances: [null] }, /^instances\[0\] is null/],
    [{ instances: [{ ...least, port: '80' }] }, /^instances\[0\]\.port is "80"/],
    [{ instances: [{ ...least, id: undefined }] }, /^instances\[0\]\.id is undefined/],
    [{ instances: [{ ...least, prt: 1 }] }, /^instances\[0\]\.prt is 1/],
    [{ instances: [least, { ...least, port: 81 }] }, /^instances\[1\]\.id is "a"; expected an id that no other/],
    [{ confirmedAt: undefined }, /^confirmedAt is undefined/],
    [{ confirmedAt: NaN }, /^confirmedAt is NaN/],
    [{ confirmedAt: '5' }, /^confirmedAt is "5"/],
    [{ isContinuous: undefined }, /^isContinuous is undefined/],
    [{ isOrdered: 1 }, /^isOrdered is 1/],
    [{ revision: 7 }, /^revision is 7/],
    [{ emptyReason: 'gone' }, /^emptyReason is "gone"/],
    [{ items: [] }, /^list\.items/],
  ])('is refused with %j', (facts, message) => {
    expect(() => checkInstanceList(list(facts))).toThrow(message)
  })

  it.each([[undefined], [null], ['x'], [[]], [5]])('is refused when it is %j', (value) => {
    expect(() => checkInstanceList(value)).toThrow(/^list is /)
  })

  it('has the same instance once', () => {
    expect(checkInstances([least, { ...least }])).toHaveLength(1)
    expect(checkInstances([least, { ...least, node: 'n2' }])).toHaveLength(2)
  })
})
