import { describe, expect, it } from 'vitest'
import {
  adoptListing,
  instancesOver,
  itemsOver,
  reconcileListing,
  type Listing,
} from '../../../src/discovery/listing.js'
import { ProconsulError } from '../../../src/errors/proconsul-error.js'
import type { ItemList } from '../../../src/instances/instance-source.js'
import type { ServiceInstance } from '../../../src/instances/service-instance.js'
import type { Hold, LiveSource, Observer } from '../../../src/live/live-source.js'
import type { Watched } from '../../../src/watch/query-source.js'

const shape = { key: (item: string) => item.slice(0, 1), same: (a: string, b: string) => a === b }
const reconcile = (before: Listing<string>, next: Listing<string>): Listing<string> =>
  reconcileListing(before, next, shape)

describe('the listing of a new answer', () => {
  it('is the old one itself when nothing is new, whatever the order', () => {
    const before = adoptListing({ items: ['a', 'b'] })
    expect(reconcile(before, { items: ['b', 'a'] })).toBe(before)
  })

  it('is new when an item is, or the order where that means something', () => {
    const before = adoptListing({ items: ['a', 'b'], isOrdered: true })
    expect(reconcile(before, { items: ['a', 'b2'] }).items).toEqual(['a', 'b2'])
    expect(reconcile(before, { items: ['b', 'a'], isOrdered: true })).toEqual({ items: ['b', 'a'], isOrdered: true })
  })

  it('is new when only the reason of its emptiness changed, and frozen', () => {
    const before = adoptListing<string>({ items: [], emptyReason: 'not-registered' })
    const after = reconcile(before, { items: [], emptyReason: 'none-passing' })
    expect(after.emptyReason).toBe('none-passing')
    expect(Object.isFrozen(after)).toBe(true)
    expect(reconcile(after, { items: [], emptyReason: 'none-passing' })).toBe(after)
  })
})

function followed() {
  let observer: Observer<Watched<Listing<string>>> | undefined
  const hold: Hold = { close: () => undefined }
  const source: LiveSource<Watched<Listing<string>>> = {
    label: 'the names',
    observe: (given) => {
      observer = given
      return hold
    },
  }
  const lists: ItemList<string>[] = []
  const told: string[] = []
  const over = itemsOver(source)
  const given = over.observe({
    onValue: (list) => void lists.push(list),
    onFailure: ({ code }) => void told.push(`failure ${code}`),
    onDoubt: ({ code }) => void told.push(`doubt ${code}`),
    onSaved: (list) => void told.push(`saved ${list.items.join()}`),
    onProblem: ({ code }) => void told.push(`problem ${code}`),
  })
  if (observer === undefined) throw new Error('it was not observed')
  const read = (index: number | undefined, listing: Listing<string> = { items: ['a'] }): void =>
    observer?.onValue({ value: listing, index, confirmedAt: 5 })
  return { over, given, hold, observer, lists, told, read }
}

describe('a query of the engine as a source', () => {
  it('has its label, and gives the hold of the query', () => {
    const { over, given, hold } = followed()
    expect(over.label).toBe('the names')
    expect(given).toBe(hold)
  })

  it('says what was read, with the index as its revision', () => {
    const { lists, read } = followed()
    read(17, { items: [], isOrdered: true, emptyReason: 'none-passing' })
    expect(lists).toEqual([
      { items: [], confirmedAt: 5, revision: '17', isContinuous: true, isOrdered: true, emptyReason: 'none-passing' },
    ])
  })

  it('is continuous until the index goes backwards', () => {
    const { lists, read } = followed()
    for (const index of [388, 388, 400, 12, 12, 13]) read(index)
    expect(lists.map(({ isContinuous }) => isContinuous)).toEqual([true, true, true, false, true, true])
  })

  it('is continuous where there is no index', () => {
    const { lists, read } = followed()
    for (const index of [undefined, 5, undefined, 5, undefined, 4]) read(index)
    expect(lists.map(({ isContinuous }) => isContinuous)).toEqual([true, true, true, true, true, false])
    expect(lists[0]?.revision).toBeUndefined()
  })

  it('passes on everything else', () => {
    const { observer, told } = followed()
    const error = new ProconsulError('PROCONSUL_NO_LEADER', 'x')
    observer.onFailure(error)
    observer.onDoubt(error)
    observer.onProblem(error)
    observer.onSaved({ value: { items: ['a'] }, index: 1, confirmedAt: 1 })
    expect(told).toEqual(
      ['NO_LEADER', 'NO_LEADER', 'NO_LEADER']
        .map((code, place) => `${['failure', 'doubt', 'problem'][place]} PROCONSUL_${code}`)
        .concat('saved a'),
    )
  })

  it('calls instances instances', () => {
    const lists: unknown[] = []
    const watched: Watched<Listing<ServiceInstance>> = { value: { items: [] }, index: 1, confirmedAt: 1 }
    const source = instancesOver({
      label: 'x',
      observe: (observer) => {
        observer.onValue(watched)
        return { close: () => undefined }
      },
    })
    const nothing = (): void => undefined
    source.observe({
      onValue: (list) => void lists.push(list.instances),
      onFailure: nothing,
      onDoubt: nothing,
      onSaved: nothing,
      onProblem: nothing,
    })
    expect(lists).toEqual([[]])
  })
})
