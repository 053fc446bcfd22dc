import { describe, expect, it } from 'vitest'
import type { Answer } from '../../../src/api/wire.js'
import { isWhole, ListReader } from '../../../src/discovery/list-reader.js'
import type { ItemList } from '../../../src/instances/instance-source.js'
import { querySource } from '../../../src/watch/query-source.js'
import { settle } from '../../support/fake-clock.js'
import { failure, makeEngine, query } from '../watch/harness.js'

const ignore = (): void => undefined

/** Why the list of this answer is empty, as far as is known. */
async function reasonOf(answer: Answer<readonly string[]>, isNeverEmpty?: () => boolean): Promise<string | undefined> {
  await using engine = makeEngine().engine
  const reader = new ListReader<string, object>(engine, {
    name: 'names',
    key: (item) => item,
    same: (a, b) => a === b,
    read: () => Promise.resolve(answer),
    ...(isNeverEmpty !== undefined && { isNeverEmpty }),
  })
  const lists: ItemList<string>[] = []
  const nothing = (): void => undefined
  reader.source('the names', {}).observe({
    onValue: (list) => void lists.push(list),
    onFailure: nothing,
    onDoubt: nothing,
    onSaved: nothing,
    onProblem: nothing,
  })
  await settle()
  expect(lists[0]?.items).toEqual(answer.value)
  return lists[0]?.emptyReason
}

describe('a list that is read', () => {
  it('is empty because of the token when Consul says that it left something out', async () => {
    expect(await reasonOf({ value: [], meta: { index: 1, filteredByAcls: true } })).toBe('filtered-by-acl')
  })

  it('is empty because of the token when such a list never is', async () => {
    expect(await reasonOf({ value: [], meta: { index: 1 } }, () => true)).toBe('filtered-by-acl')
  })

  it('is empty for no known reason otherwise', async () => {
    expect(await reasonOf({ value: [], meta: { index: 1 } })).toBeUndefined()
    expect(await reasonOf({ value: [], meta: { index: 1 } }, () => false)).toBeUndefined()
  })

  it('is not called empty while something is in it', async () => {
    expect(await reasonOf({ value: ['a'], meta: { index: 1, filteredByAcls: true } }, () => true)).toBeUndefined()
  })
})

it('is read on without a leader when the agent answers by itself, and waits for one otherwise', async () => {
  const harness = makeEngine()
  const reads = { own: 0, servers: 0 }
  const shape = { key: (item: string) => item, same: (a: string, b: string) => a === b }
  const read = (who: keyof typeof reads) => (): Promise<Answer<readonly string[]>> => {
    reads[who] += 1
    return Promise.resolve({ value: ['a'], meta: {} })
  }
  const observer = { onValue: ignore, onFailure: ignore, onDoubt: ignore, onSaved: ignore, onProblem: ignore }
  const failing = { read: () => Promise.reject(failure('PROCONSUL_NO_LEADER')) }
  querySource('other', harness.texts, query('other', failing)).observe(observer)
  await settle()
  new ListReader<string, object>(harness.engine, { name: 'own', ...shape, isLocal: true, read: read('own') })
    .source('own', {})
    .observe(observer)
  new ListReader<string, object>(harness.engine, { name: 'servers', ...shape, read: read('servers') })
    .source('servers', {})
    .observe(observer)
  await settle()
  expect(reads).toEqual({ own: 1, servers: 0 })
  await harness.engine.close()
})

describe('a list of a whole datacenter', () => {
  it('is one that nothing narrows', () => {
    expect(isWhole({ datacenter: 'dc2', near: '_agent', stale: true, filter: undefined })).toBe(true)
    const narrowings = [
      { filter: 'a' },
      { nodeMeta: { a: 'b' } },
      { namespace: 'a' },
      { partition: 'a' },
      { peer: 'a' },
    ]
    expect(narrowings.map(isWhole)).toEqual(narrowings.map(() => false))
  })
})
