import { describe, expect, it } from 'vitest'
import { KvApi } from '../../../../src/api/kv.js'
import { MissingKeys, type Fate } from '../../../../src/config/guard/missing-keys.js'
import { resolveLayers } from '../../../../src/config/layers/layer.js'
import { ProconsulError } from '../../../../src/errors/proconsul-error.js'
import type { HttpAnswer, HttpRequest } from '../../../../src/http/request.js'

const SINCE = 20

/** Where things stand when the question is asked. */
interface Store {
  /** The index of each layer or key. */
  readonly index?: Readonly<Record<string, number>>
  /** Keys and folders that the token may not read. */
  readonly denied?: readonly string[]
  readonly isDown?: boolean
}

function asking(store: Store, format: 'keys' | 'documents' = 'keys'): { missing: MissingKeys; asked: HttpRequest[] } {
  const asked: HttpRequest[] = []
  const request = (sent: HttpRequest): Promise<HttpAnswer> => {
    asked.push(sent)
    const { operation, path } = sent
    const key = decodeURIComponent(path.slice('/kv/'.length))
    if (store.isDown === true) return Promise.reject(new ProconsulError('PROCONSUL_UNAVAILABLE', 'no answer'))
    if (store.denied?.includes(key) === true) {
      return Promise.reject(new ProconsulError('PROCONSUL_PERMISSION_DENIED', 'denied'))
    }
    const index = store.index?.[key] ?? SINCE + 1
    return Promise.resolve({ operation, status: 404, body: Buffer.alloc(0), meta: { index } })
  }
  const scope = { layers: resolveLayers(['c/a', 'c/b'], true), format, access: { token: 't' } }
  return { missing: new MissingKeys(new KvApi({ request }), scope), asked }
}

const { signal } = new AbortController()

async function fateOf(
  keys: string[],
  store: Store = {},
  isEarlierRun = false,
): Promise<{ fate: Fate; asked: string[] }> {
  const { missing, asked } = asking(store)
  const fate = await missing.fateOf({ keys, since: SINCE, isEarlierRun }, signal)
  return { fate, asked: asked.map(({ path }) => decodeURIComponent(path.slice('/kv/'.length))) }
}

describe('what became of keys', () => {
  it('is a deletion when their layer has changed and they may be read', async () => {
    const { fate, asked } = await fateOf(['c/a/x', 'c/a/y'], { index: { 'c/b/': 3 } })
    expect(fate).toBe('deleted')
    expect(asked).toEqual(['c/a/', 'c/a/x', 'c/a/y'])
  })

  it.each<[Fate, string, Store]>([
    ['lost', 'only others have changed something', { index: { 'c/a/': 12 } }],
    ['lost', 'only one of their layers has changed', { index: { 'c/b/': SINCE } }],
    ['lost', 'the agent does not answer', { isDown: true }],
    ['denied', 'the token may not read one of them', { denied: ['c/b/y'] }],
    ['denied', 'the token may not list a layer any more', { denied: ['c/b/'], index: { 'c/a/': 1 } }],
  ])('is %s when %s', async (fate, _what, store) => {
    expect((await fateOf(['c/a/x', 'c/b/y'], store)).fate).toBe(fate)
  })

  it.each([
    ['a trailing blank', 'c/a/x ', 'c/a/x'],
    ['a leading blank', 'c/a/ x', 'c/a/ x'],
    ['two slashes', 'c/a//b', 'c/a/'],
    ['a tab', 'c/a/x\ty', 'c/a/x'],
    ['a no-break space', 'c/a/x\u00a0y', 'c/a/x'],
    ['a part of dots', 'c/a/../x', 'c/a/'],
    ['a line feed at its end', 'c/a/x\n', 'c/a/x'],
    ['a zero-width space', 'c/a/\u200b', 'c/a/'],
    ['half a character', 'c/a/x\ud800', 'c/a/x'],
  ])('is found out for a name with %s too, by what may stand for it', async (_what, key, name) => {
    const { fate, asked } = await fateOf([key])
    expect(fate).toBe('deleted')
    expect(asked).toEqual(['c/a/', name])
    expect((await fateOf([key], { denied: [name] })).fate).toBe('denied')
  })

  it('does not take a request for each of thousands of keys', async () => {
    const keys = Array.from({ length: 1_000 }, (_, index) => `c/a/${index}`)
    const { fate, asked } = await fateOf(keys)
    expect(fate).toBe('deleted')
    expect(asked).toHaveLength(1 + 32)
  })

  it('is asked for as the configuration itself asks, once, and not for long', async () => {
    const { missing, asked } = asking({})
    await missing.fateOf({ keys: ['c/a/x'], since: SINCE, isEarlierRun: false }, signal)
    for (const request of asked) expect(request).toMatchObject({ token: 't', timeoutMs: 5_000, repeat: false })
  })
})

describe('what became of keys since an earlier run', () => {
  it('is a deletion when the store goes on where it was, though the layer has forgotten it', async () => {
    const { fate, asked } = await fateOf(['c/a/x'], { index: { 'c/a/': 3, 'c/a/x': SINCE } }, true)
    expect(fate).toBe('deleted')
    expect(asked).toEqual(['c/a/x'])
  })

  it('is a loss when the store began anew, and unknown to a token that may not read', async () => {
    expect((await fateOf(['c/a/x'], { index: { 'c/a/x': SINCE - 1 } }, true)).fate).toBe('lost')
    expect((await fateOf(['c/a/x'], { denied: ['c/a/x'] }, true)).fate).toBe('denied')
  })
})

describe('whether a token may read nothing', () => {
  it('is so when every layer is refused by name', async () => {
    const { missing, asked } = asking({ denied: ['c/a/', 'c/b/'] })
    expect(await missing.isNoneReadable(signal)).toBe(true)
    expect(asked.map(({ path }) => path)).toEqual(['/kv/c/a/', '/kv/c/b/'])
  })

  it('is not so when one may be read, or nobody answers', async () => {
    expect(await asking({ denied: ['c/a/'] }).missing.isNoneReadable(signal)).toBe(false)
    expect(await asking({ isDown: true }).missing.isNoneReadable(signal)).toBe(false)
  })

  it('takes a document that may be read, or one below it', async () => {
    const own = asking({ denied: ['c/a/', 'c/b', 'c/b/'] }, 'documents').missing
    expect(await own.isNoneReadable(signal)).toBe(false)
    const all = asking({ denied: ['c/a', 'c/a/', 'c/b', 'c/b/'] }, 'documents').missing
    expect(await all.isNoneReadable(signal)).toBe(true)
  })
})
