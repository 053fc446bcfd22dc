import { describe, expect, it } from 'vitest'
import { KvApi } from '../../../../src/api/kv.js'
import { resolveLayers } from '../../../../src/config/layers/layer.js'
import { provesDeletion } from '../../../../src/config/source/deletion-proof.js'
import { ProconsulError } from '../../../../src/errors/proconsul-error.js'
import type { HttpAnswer, HttpRequest } from '../../../../src/http/request.js'
import { entriesOf } from '../pipeline.js'

const BEFORE_INDEX = 20

/** Where things stand when the proof is asked for. */
interface Store {
  /** The index of each layer. */
  readonly index?: Readonly<Record<string, number>>
  /** Keys that the token may not read. */
  readonly denied?: readonly string[]
  readonly isDown?: boolean
}

async function prove(
  before: string[],
  now: string[],
  store: Store = {},
): Promise<{ isProven: boolean; asked: string[] }> {
  const asked: string[] = []
  const request = ({ operation, path }: HttpRequest): Promise<HttpAnswer> => {
    const key = path.slice('/kv/'.length)
    asked.push(key)
    if (store.isDown === true) return Promise.reject(new ProconsulError('PROCONSUL_UNAVAILABLE', 'no answer'))
    if (operation === 'kv.get' && store.denied?.includes(key) === true) {
      return Promise.reject(new ProconsulError('PROCONSUL_PERMISSION_DENIED', 'denied'))
    }
    const index = store.index?.[key] ?? BEFORE_INDEX + 1
    return Promise.resolve({ operation, status: 404, body: Buffer.alloc(0), meta: { index } })
  }
  const entries = (keys: string[]): ReturnType<typeof entriesOf> =>
    entriesOf(Object.fromEntries(keys.map((key) => [key, ''])))
  const isProven = await provesDeletion(
    { kv: new KvApi({ request }) },
    { layers: resolveLayers(['c/a', 'c/b'], true), format: 'keys', access: {} },
    { before: { entries: entries(before), index: BEFORE_INDEX }, entries: entries(now) },
    new AbortController().signal,
  )
  return { isProven, asked }
}

describe('that keys are gone', () => {
  it('is asked only where some are', async () => {
    expect(await prove(['c/a/x'], ['c/a/x', 'c/b/y'])).toEqual({ isProven: true, asked: [] })
  })

  it('is a deletion when their layer has changed and they may be read', async () => {
    const { isProven, asked } = await prove(['c/a/x', 'c/a/y', 'c/b/x'], ['c/b/x'], { index: { 'c/b/': 3 } })
    expect(isProven).toBe(true)
    expect(asked).toEqual(['c/a/', 'c/a/x', 'c/a/y'])
  })

  it.each<[string, Store]>([
    ['only others have changed something', { index: { 'c/a/': 12 } }],
    ['only one of their layers has changed', { index: { 'c/b/': BEFORE_INDEX } }],
    ['the token may not read one of them', { denied: ['c/b/y'] }],
    ['the agent does not answer', { isDown: true }],
  ])('is none when %s', async (_what, store) => {
    expect((await prove(['c/a/x', 'c/b/x', 'c/b/y'], ['c/b/x'], store)).isProven).toBe(false)
  })

  it('is none for a key of which no agent can be asked', async () => {
    expect((await prove(['c/a/../x'], [])).isProven).toBe(false)
  })

  it('does not take a request for each of thousands of keys', async () => {
    const keys = Array.from({ length: 1_000 }, (_, index) => `c/a/${index}`)
    const { isProven, asked } = await prove(keys, [])
    expect(isProven).toBe(true)
    expect(asked).toHaveLength(1 + 32)
  })
})
