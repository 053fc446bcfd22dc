import { describe, expect, it } from 'vitest'
import { KvApi } from '../../../../src/api/kv.js'
import { TxnApi } from '../../../../src/api/txn.js'
import { systemClock } from '../../../../src/core/clock.js'
import { resolveLayers } from '../../../../src/config/layers/layer.js'
import { CoverReader } from '../../../../src/config/source/cover-reader.js'
import { ProconsulError } from '../../../../src/errors/proconsul-error.js'
import { coverageOf } from '../../../../src/config/source/coverage.js'
import type { Look } from '../../../../src/config/source/source-parts.js'
import type { HttpAnswer, HttpRequest } from '../../../../src/http/request.js'
import type { WatchReading } from '../../../../src/watch/watch-query.js'

/** A KV store in a few lines: what is in it, at which index, and what happens before a request is answered. */
class Store {
  readonly asked: HttpRequest[] = []
  readonly #keys = new Map<string, { readonly value: string; readonly index: number }>()
  readonly #deleted = new Map<string, number>()
  #index = 10
  before: (request: HttpRequest) => void = () => undefined
  /** Prefixes of which the agent says that it left something out. */
  readonly filtered = new Set<string>()

  set(key: string, value = ''): void {
    this.#keys.set(key, { value, index: ++this.#index })
  }

  delete(key: string): void {
    this.#keys.delete(key)
    this.#deleted.set(key, ++this.#index)
  }

  /** As an agent that began anew. */
  lose(): void {
    this.#keys.clear()
    this.#deleted.clear()
    this.#index = 1
  }

  request(request: HttpRequest): Promise<HttpAnswer> {
    this.before(request)
    this.asked.push(request)
    const { operation, path } = request
    const entries = operation === 'txn' ? this.#trees(request) : this.#below(path.slice('/kv/'.length))
    const wire = entries.map((key) => this.#wire(key))
    const body =
      operation === 'txn'
        ? { Results: wire.map((entry) => ({ KV: entry })) }
        : operation === 'kv.keys'
          ? request.query?.['separator'] === undefined
            ? entries
            : folded(entries, path.slice('/kv/'.length))
          : wire
    const prefix = path.slice('/kv/'.length)
    const meta =
      operation === 'txn'
        ? {}
        : { index: this.#indexOf(prefix), ...(this.filtered.has(prefix) && { filteredByAcls: true }) }
    const status = entries.length === 0 && operation !== 'txn' ? 404 : 200
    return Promise.resolve({ operation, status, body: Buffer.from(JSON.stringify(body)), meta })
  }

  #below(prefix: string): string[] {
    return [...this.#keys.keys()].filter((key) => key.startsWith(prefix)).sort()
  }

  #trees({ body }: HttpRequest): string[] {
    const prefixes = [...String(body).matchAll(/"Key":"([^"]*)"/g)].map(([, prefix = '']) => prefix)
    return prefixes.flatMap((prefix) => this.#below(prefix))
  }

  #wire(key: string): object {
    const { value = '', index = 0 } = this.#keys.get(key) ?? {}
    return { Key: key, Value: Buffer.from(value).toString('base64'), CreateIndex: index, ModifyIndex: index }
  }

  /** That of the last change below a prefix; that of the store where nothing ever was. */
  #indexOf(prefix: string): number {
    const indexes = [...this.#keys].map(([key, { index }]) => [key, index] as const).concat([...this.#deleted])
    const below = indexes.filter(([key]) => key.startsWith(prefix)).map(([, index]) => index)
    return below.length === 0 ? this.#index : Math.max(...below)
  }
}

function folded(keys: readonly string[], prefix: string): readonly string[] {
  const cut = (key: string): string => {
    const slash = key.indexOf('/', prefix.length)
    return slash < 0 ? key : key.slice(0, slash + 1)
  }
  return [...new Set(keys.map(cut))]
}

function reader(store: Store, paths: readonly string[]): (index?: number) => Promise<WatchReading<Look>> {
  const layers = resolveLayers(paths, true)
  const { prefixes, cover = '' } = coverageOf(layers, 'keys')
  const kv = new KvApi(store)
  const txn = new TxnApi(store)
  const runtime = { clock: systemClock, random: () => 0, logger: console }
  const cannotWatch = {
    subscribe: (): never => {
      throw new Error('reads only')
    },
  }
  const parts = { runtime, kv, txn, looks: cannotWatch, marks: cannotWatch }
  const looks = new CoverReader(parts, { layers, format: 'keys', access: {} }, { prefixes, cover })
  const { signal } = new AbortController()
  return (index) =>
    looks.read({ waitMs: 1_000, fresh: false, compress: true, signal, ...(index !== undefined && { index }) })
}

function keysOf({ value }: WatchReading<Look>): readonly string[] {
  return value.entries.map(({ key }) => key)
}

describe('the first look at layers that share a folder', () => {
  it('asks the leader for each layer: a server that lags would show what was there before the names', async () => {
    const store = new Store()
    for (const key of ['c/a/x', 'c/b/y']) store.set(key)
    expect(keysOf(await reader(store, ['c/a', 'c/b'])())).toEqual(['c/a/x', 'c/b/y'])
    const lists = store.asked.filter(({ operation }) => operation === 'kv.list')
    expect(lists.map(({ query }) => query?.['consistent'])).toEqual([true, true])
  })

  it('does not take a layer for missing of which the names show only the folder above', async () => {
    const store = new Store()
    for (const key of ['c/a/x', 'c/deep/b/y']) store.set(key)
    // Emptied after the names were read, together with a change of the other layer that is read too late to be seen.
    store.before = ({ path }) => {
      if (path === '/kv/c/deep/b/') {
        store.delete('c/deep/b/y')
        store.set('c/a/z')
        store.before = () => undefined
      }
    }
    const reading = await reader(store, ['c/a', 'c/deep/b'])()
    expect(keysOf(reading)).toEqual(['c/a/x', 'c/a/z'])
    expect(store.asked.at(-1)?.operation).toBe('txn')
  })

  it('goes on from an index above which every later change lies', async () => {
    const store = new Store()
    for (const key of ['c/a/x', 'c/b/y']) store.set(key)
    store.before = ({ path }) => {
      if (path === '/kv/c/b/') store.set('c/b/z')
    }
    const read = reader(store, ['c/a', 'c/b'])
    const { meta, value } = await read()
    expect(value.entries).toHaveLength(3)
    store.before = () => undefined
    store.set('c/a/later')
    const next = await read(meta.index)
    expect(next.meta.index).toBe((meta.index ?? 0) + 1)
    expect(keysOf(next)).toContain('c/a/later')
  })
})

describe('a look that no wait led to', () => {
  it('is one look at the folder: the store may be another one since', async () => {
    const store = new Store()
    for (const key of ['c/a/x', 'c/b/y']) store.set(key)
    const read = reader(store, ['c/a', 'c/b'])
    await read()
    store.asked.length = 0
    await read()
    expect(store.asked.map(({ operation, path }) => `${operation} ${path}`)).toEqual(['kv.list /kv/c/'])
  })
})

describe('whether the folder is worth reading', () => {
  it('is not asked when the token may not list it: then nothing that was read counts', async () => {
    const store = new Store()
    store.set('c/a/x')
    store.before = ({ path }) => {
      if (path === '/kv/c/') throw new ProconsulError('PROCONSUL_PERMISSION_DENIED', 'denied')
    }
    const { value } = await reader(store, ['c/a', 'c/b'])()
    expect(value).toEqual({ entries: [], isFiltered: false, fitness: 'denied' })
    expect(store.asked).toEqual([])
  })

  it('is not so when others crowd it', async () => {
    const store = new Store()
    store.set('c/a/x')
    for (let index = 0; index < 401; index += 1) store.set(`c/other/${index}`)
    expect((await reader(store, ['c/a', 'c/b'])()).value.fitness).toBe('crowded')
  })

  it('is so with as many keys of others as are put up with', async () => {
    const store = new Store()
    store.set('c/a/x')
    for (let index = 0; index < 400; index += 1) store.set(`c/other/${index}`)
    expect((await reader(store, ['c/a', 'c/b'])()).value.fitness).toBe('good')
  })

  it('is not so when the agent leaves out some of it, which says nothing of the layers', async () => {
    const store = new Store()
    store.set('c/a/x')
    store.filtered.add('c/')
    const { value } = await reader(store, ['c/a', 'c/b'])()
    expect(value.fitness).toBe('crowded')
    expect(value.isFiltered).toBe(false)
  })

  it('is told beside what the agent left out of a layer', async () => {
    const store = new Store()
    store.set('c/a/x')
    store.filtered.add('c/b/')
    expect((await reader(store, ['c/a', 'c/b'])()).value.isFiltered).toBe(true)
    store.filtered.add('c/a/')
    expect((await reader(store, ['c/a'])()).value.isFiltered).toBe(true)
  })

  it('is not so any more when others change it all the time', async () => {
    const store = new Store()
    for (const key of ['c/a/x', 'c/b/y']) store.set(key)
    const read = reader(store, ['c/a', 'c/b'])
    let { meta, value } = await read()
    const seen: string[] = []
    for (let round = 0; round < 12; round += 1) {
      store.set('c/other', `${round}`)
      ;({ meta, value } = await read(meta.index))
      seen.push(value.fitness)
    }
    expect(seen.slice(0, 10)).toEqual(Array.from({ length: 10 }, () => 'good'))
    expect(seen.slice(10)).toEqual(['crowded', 'crowded'])
  })
})
