import { describe, expect, it } from 'vitest'
import { versionOf } from '../../../../src/config/apply/version.js'
import type { LayerState } from '../../../../src/config/source/layer-state.js'
import { entriesOf } from '../pipeline.js'

/** Keys with the index of their last change. */
function state(index: number, keys: Readonly<Record<string, number>>): LayerState {
  const entries = entriesOf(Object.fromEntries(Object.keys(keys).map((key) => [key, ''])))
  const indexed = entries.map((entry) => ({ ...entry, modifyIndex: keys[entry.key] ?? 0 }))
  return { entries: indexed, index, isFiltered: false, confirmedAt: 0 }
}

describe('the version of a state', () => {
  it.each<[string, LayerState, LayerState | undefined, number, number]>([
    ['is the newest change of a key', state(90, { a: 7, b: 9, c: 8 }), undefined, 0, 9],
    ['is 0 without keys', state(90, {}), undefined, 0, 0],
    ['follows a change', state(95, { a: 12 }), state(90, { a: 7 }), 7, 12],
    ['is that of the read when a key is gone', state(95, { a: 7 }), state(90, { a: 7, b: 9 }), 9, 95],
    ['stays after a deletion until something newer comes', state(96, { a: 7 }), state(95, { a: 7 }), 95, 95],
    ['goes on after a deletion with the next change', state(99, { a: 97 }), state(95, { a: 7 }), 95, 97],
    ['starts anew with a store that began anew', state(3, { a: 2 }), state(95, { a: 7 }), 95, 2],
    [
      'is never below a key that was changed after what is gone',
      state(95, { a: 99 }),
      state(90, { a: 7, b: 9 }),
      9,
      99,
    ],
  ])('%s', (_what, next, before, version, expected) => {
    expect(versionOf(next, before, version)).toBe(expected)
  })
})
