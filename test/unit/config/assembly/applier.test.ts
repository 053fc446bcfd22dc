import { AsyncLocalStorage } from 'node:async_hooks'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { z } from 'zod'
import { ConfigRejection } from '../../../../src/config/assembly/issue.js'
import type { ConfigOptions } from '../../../../src/config/options/config-options.js'
import { FakeClock } from '../../../support/fake-clock.js'
import { pipeline, type Store } from '../pipeline.js'

async function rejection(work: Promise<unknown>): Promise<ConfigRejection> {
  const error: unknown = await work.then(
    () => undefined,
    (reason: unknown) => reason,
  )
  if (error instanceof ConfigRejection) return error
  throw new Error('it was not rejected', { cause: error })
}

describe('applying a state', () => {
  it('keeps every part that did not change, across layers and with a schema', async () => {
    const part = z.record(z.string(), z.string())
    const { apply } = await pipeline({ layers: ['a', 'b'], schema: z.object({ x: part, y: part, z: part }) })
    const store = { 'a/x/k': '1', 'a/y/k': '1', 'b/y/l': '2', 'b/z/k': '3' }
    const first = await apply(store)
    const second = await apply({ ...store, 'b/z/k': '4' })
    expect(second.value.x).toBe(first.value.x)
    expect(second.value.y).toBe(first.value.y)
    expect(second.value.z).toEqual({ k: '4' })
    expect((await apply({ ...store, 'b/z/k': '4' })).value).toBe(second.value)
  })

  it('reports all documents that cannot be read, with layer, key and place', async () => {
    const { apply } = await pipeline({ layers: ['a', 'b'], format: 'json' })
    const { issues } = await rejection(apply({ 'a/1': '{', 'a/2': '{}', b: '[1]', 'b/3': '{"x":NaN}' }))
    expect(issues).toEqual([
      { message: 'is not JSON', layer: 'a', key: 'a/1', modifyIndex: 1, line: 1, column: 2 },
      { message: 'is not JSON', layer: 'b', key: 'b/3', modifyIndex: 4, line: 1, column: 6 },
    ])
    const list = await rejection(apply({ b: '[1]' }))
    expect(list.issues).toEqual([{ message: 'is a list and not an object', layer: 'b', key: 'b', modifyIndex: 1 }])
  })

  it('says where a value comes from that the schema refuses, and never shows a secret', async () => {
    const schema = z.object({
      db: z.object({
        password: z
          .string()
          .refine((text) => text.length > 20, { error: ({ input }) => `${String(input)} is too short` }),
      }),
      url: z.string().refine(() => false, { error: ({ input }) => `cannot use ${String(input)}` }),
    })
    const { apply } = await pipeline({ layers: ['a'], schema, interpolate: true, secrets: ['db.password'] })
    const { issues } = await rejection(apply({ 'a/db/password': 'hunter2', 'a/url': 'pg://u:${db.password}@h' }))
    expect(issues).toEqual([
      { message: '[secret] is too short', path: 'db.password', layer: 'a', key: 'a/db/password', modifyIndex: 1 },
      { message: 'cannot use [secret]', path: 'url', layer: 'a', key: 'a/url', modifyIndex: 2 },
    ])
  })

  it('names the key of a reference that cannot be resolved, and quotes none of a secret', async () => {
    const { apply } = await pipeline({ layers: ['a', 'b'], interpolate: true, secrets: ['db.password'] })
    const { issues } = await rejection(apply({ 'a/url': 'x', 'b/url': '${host}/x' }))
    expect(issues).toEqual([
      { message: 'refers to host, which does not exist', path: 'url', layer: 'b', key: 'b/url', modifyIndex: 2 },
    ])
    const secret = await rejection(apply({ 'a/db/password': 'pa${hunter2}word' }))
    expect(JSON.stringify(secret.issues)).not.toContain('hunter2')
    expect(secret.issues).toMatchObject([{ path: 'db.password', key: 'a/db/password' }])
  })

  it('knows a text for secret when a reference carried a secret into it', async () => {
    const { apply } = await pipeline({ layers: ['a'], interpolate: true, secrets: ['db.password'] })
    const { redaction } = await apply({
      'a/db/password': 'x',
      'a/url': '${all.db}',
      'a/all/db': '${db.password}',
      'a/open': 'y',
    })
    expect(['url', 'open'].map((path) => redaction.isSecret([path]))).toEqual([true, false])
    expect(redaction.isSecret(['all', 'db'])).toBe(true)
  })

  it('asks its hooks in order, with the value before, and only about changes', async () => {
    const asked: unknown[] = []
    const { apply } = await pipeline({
      layers: ['a'],
      beforeApply: [
        (next, { previous }) => void asked.push(['first', next, previous]),
        async (next) => {
          await Promise.resolve()
          asked.push(['second', next])
          if (next['x'] === 'bad') throw new Error('no')
        },
      ],
    })
    await apply({ 'a/x': '1' })
    await apply({ 'a/x': '1' })
    expect((await rejection(apply({ 'a/x': 'bad' }))).issues).toEqual([{ message: 'no' }])
    expect(asked).toEqual([
      ['first', { x: '1' }, undefined],
      ['second', { x: '1' }],
      ['first', { x: 'bad' }, { x: '1' }],
      ['second', { x: 'bad' }],
    ])
  })

  it('takes what a function of the user throws as an issue, and not the text of a document', async () => {
    const failing = await pipeline({
      layers: ['a'],
      schema: () => {
        throw new Error('port is missing')
      },
    })
    expect((await rejection(failing.apply({ 'a/x': '1' }))).issues).toEqual([{ message: 'port is missing' }])
    const format = (text: string): never => {
      throw new Error(`cannot read ${text}`)
    }
    const { issues } = await rejection((await pipeline({ layers: ['a'], format })).apply({ a: 'hunter2' }))
    expect(issues[0]?.message).toBe('cannot be read: its format function failed')
  })

  it('reads documents by a function of the user', async () => {
    const format = (text: string, key: string): unknown => ({ [key]: text.split(',') })
    expect((await (await pipeline({ layers: ['a'], format })).apply({ 'a/b': 'x,y' })).value).toEqual({
      'a/b': ['x', 'y'],
    })
  })

  it('coerces only when told to', async () => {
    const store = { 'a/n': '1', 'a/b': 'true', 'a/s': '007' }
    expect((await (await pipeline({ layers: ['a'] })).apply(store)).value).toEqual({ n: '1', b: 'true', s: '007' })
    const { apply } = await pipeline({ layers: ['a'], coerce: true })
    expect((await apply(store)).value).toEqual({ n: 1, b: true, s: '007' })
  })
})

/** What users' code may throw or return, none of which is foreseen. */
const STRANGE: readonly [string, () => unknown][] = [
  ['undefined', () => undefined],
  ['null', () => null],
  ['a text', () => 'no'],
  ['a symbol', () => Symbol('no')],
  ['an object without a prototype', (): unknown => Object.create(null)],
  ['an error whose message is no text', () => Object.assign(new Error('x'), { message: { toString: () => 'x' } })],
  ['an error whose message throws', () => Object.defineProperty(new Error('x'), 'message', { get: hostile })],
  ['a proxy that throws whatever is done with it', () => new Proxy({}, new Proxy({}, { get: () => hostile }))],
  ['a proxy that is revoked', revoked],
  ['an object that holds itself', cyclic],
  ['a number that is none', () => NaN],
  ['a function', () => () => 1],
  ['an object with an accessor that throws', () => Object.defineProperty({}, 'x', { get: hostile, enumerable: true })],
]

function hostile(): never {
  throw new Error('do not look at me')
}

function revoked(): unknown {
  const { proxy, revoke } = Proxy.revocable({}, {})
  revoke()
  return proxy
}

function cyclic(): unknown {
  const self: Record<string, unknown> = {}
  self['self'] = self
  return self
}

describe("what users' code throws or returns", () => {
  const store = { 'a/x': '{"x":1}' }

  it.each(STRANGE)('is data: %s', async (_what, strange) => {
    const thrower = (): never => {
      throw strange()
    }
    const rejecter = async (): Promise<never> => {
      await Promise.resolve()
      throw strange()
    }
    const layers = ['a']
    const standard = (validate: () => unknown): never =>
      ({ '~standard': { version: 1, vendor: 'x', validate } }) as never
    const failing: ConfigOptions[] = [
      { layers, schema: thrower },
      { layers, schema: rejecter },
      { layers, schema: standard(thrower) },
      { layers, schema: standard(rejecter) },
      { layers, schema: standard(() => ({ issues: [{ message: strange() }] })) },
      { layers, schema: standard(() => ({ issues: [{ message: 'no', path: [strange()] }] })) },
      { layers, beforeApply: thrower },
      { layers, beforeApply: [() => undefined, rejecter] },
      { layers, format: thrower },
    ]
    for (const options of failing) {
      const { issues } = await rejection((await pipeline(options)).apply(store))
      for (const { message } of issues) expect(typeof message).toBe('string')
    }
    const returning: ConfigOptions[] = [
      { layers, format: strange },
      { layers, schema: strange as () => never },
      { layers, schema: standard(strange) },
      { layers, schema: standard(() => ({ value: strange() })) },
      { layers, schema: standard(() => ({ issues: strange() })) },
    ]
    for (const options of returning) {
      // A value or a rejection, and nothing else.
      await (await pipeline(options)).apply(store).catch((error: unknown) => {
        if (!(error instanceof ConfigRejection)) throw new Error('it is no rejection', { cause: error })
      })
    }
  })

  it.each<[string, ConfigOptions]>([
    ['a schema', { layers: ['a'], schema: () => new Promise<never>(() => undefined) }],
    ['what a schema returns', { layers: ['a'], schema: () => ({ then: () => undefined }) as never }],
    ['a hook', { layers: ['a'], beforeApply: () => new Promise<never>(() => undefined) }],
  ])('is a rejection when it never settles: %s', async (_what, options) => {
    const clock = new FakeClock()
    const { apply } = await pipeline({ ...options, timeout: '3s' }, clock)
    const rejected = rejection(apply(store))
    await clock.advance(3_000)
    expect((await rejected).issues[0]?.message).toMatch(/did not settle within 3s/)
    expect(clock.pendingTimers).toBe(0)
  })

  it('runs where it was handed over', async () => {
    const context = new AsyncLocalStorage<string>()
    const seen: unknown[] = []
    const note = (): void => void seen.push(context.getStore())
    const options: ConfigOptions = {
      layers: ['a'],
      schema: (tree) => {
        note()
        return tree
      },
      beforeApply: note,
    }
    const { apply } = await context.run('mine', () => pipeline(options))
    await context.run('another', () => apply(store))
    await apply({ 'a/x': '2' })
    expect(seen).toEqual(['mine', 'mine', 'mine', 'mine'])
  })
})

describe('layers that disagree on what a list is', () => {
  it.each<[string, Store, string]>([
    ['one item', { 'a/hosts/0': 'x', 'a/hosts/1': 'y', 'b/hosts/1': 'z' }, 'b/hosts/1'],
    [
      'one item in brackets',
      { 'a/hosts[0]': 'x', 'b/hosts[0]/name': 'z', 'b/hosts[1]/name': 'z', 'c/hosts/9': 'z' },
      'c/hosts/9',
    ],
    ['a name in brackets', { 'a/hosts/0': 'x', 'b/hosts[db.example.com]': 'z' }, 'b/hosts[db.example.com]'],
    ['a name', { 'a/hosts/0': 'x', 'b/hosts/first': 'z' }, 'b/hosts/first'],
    ['a list with a gap', { 'a/hosts/0': 'x', 'b/hosts/0': 'z', 'b/hosts/2': 'z' }, 'b/hosts/2'],
  ])('are rejected with the key: %s', async (_what, store, key) => {
    const { apply } = await pipeline({ layers: ['a', 'b', 'c'], optional: true })
    expect((await rejection(apply(store))).issues).toMatchObject([{ key }])
  })

  it('are rejected over a default too, and in documents', async () => {
    const withDefaults = await pipeline({ layers: ['a'], defaults: { hosts: ['x'] } })
    expect((await rejection(withDefaults.apply({ 'a/hosts/1': 'y' }))).issues).toMatchObject([
      { path: 'hosts', layer: 'a', key: 'a/hosts/1' },
    ])
    const documents = await pipeline({ layers: ['a', 'b'], format: 'properties' })
    const store = { a: 'hosts[0]=x', b: 'hosts[db.example.com]=y' }
    expect((await rejection(documents.apply(store))).issues).toMatchObject([{ path: 'hosts', key: 'b' }])
  })

  it('are no trouble where the upper one brings a list of its own', async () => {
    const { apply } = await pipeline({ layers: ['a', 'b'] })
    expect((await apply({ 'a/hosts/0': 'x', 'a/hosts/1': 'y', 'b/hosts/0': 'z' })).value).toEqual({ hosts: ['z'] })
  })
})

describe.each<[ConfigOptions['format'], string, string]>([
  ['keys', '1', '1'],
  ['json', '{"x":"1"}', '{}'],
  ['yaml', 'x: "1"', '{}'],
  ['properties', 'x=1', ''],
])('a value of %s', (format, good, empty) => {
  const key = 'a/x'
  const bytes = (text: string, encoding: BufferEncoding): Buffer => Buffer.from(text, encoding)

  it('loses its byte order mark and nothing else', async () => {
    const { apply } = await pipeline({ layers: ['a'], format })
    const plain = await apply({ [key]: good })
    expect(plain.value).toEqual({ x: '1' })
    expect((await apply({ [key]: `\ufeff${good}` })).value).toBe(plain.value)
  })

  it('is refused when it is no UTF-8, with its key and without its text', async () => {
    const { apply } = await pipeline({ layers: ['a'], format })
    for (const value of [bytes(`${good} é`, 'latin1'), bytes(`\ufeff${good}`, 'utf16le'), bytes(good, 'utf16le')]) {
      const { issues } = await rejection(apply({ [key]: value }))
      expect(issues).toMatchObject([{ key, layer: 'a', message: expect.stringMatching(/UTF-8/) as string }])
    }
  })

  it('means nothing when the document is empty, in each format alike', async () => {
    if (format === 'keys') return
    const { apply } = await pipeline({ layers: ['a'], format })
    for (const text of [empty, '', '\ufeff', '\n']) expect((await apply({ [key]: text })).value).toEqual({})
  })
})

const fragment = fc.constantFrom(
  ...[
    '{',
    '}',
    '[',
    ']',
    ':',
    ',',
    '"',
    "'",
    '=',
    '\\',
    '\n',
    ' ',
    '-',
    '&a',
    '*a',
    '!!',
    '<<',
    '#',
    '|',
    '>',
    '%',
    '\t',
  ],
  ...[
    '__proto__',
    'constructor',
    'prototype',
    'polluted',
    '${',
    '}',
    ':-',
    '$${',
    '.',
    '/',
    '0',
    '[0]',
    'a',
    'b',
    'null',
    'true',
    '1e999',
  ],
)
const text = fc.oneof(
  fc.array(fragment, { maxLength: 20 }).map((parts) => parts.join('')),
  fc.json(),
  fc.string({ unit: 'binary', maxLength: 30 }),
)
const name = fc.array(fragment, { minLength: 1, maxLength: 5 }).map((parts) => parts.join(''))

describe.each(['keys', 'json', 'yaml', 'properties'] as const)('anything at all as %s', (format) => {
  it('is a configuration or a rejection: nothing else fails, nothing is polluted, the last good one stays', async () => {
    const { apply } = await pipeline({
      layers: ['a', 'b'],
      format,
      interpolate: true,
      coerce: true,
      secrets: ['a.b', '*.x'],
    })
    const good: Store = { 'a/good': format === 'json' ? '{"x":1}' : format === 'keys' ? '1' : 'x: 1' }
    const before = await apply(good)
    const snapshot = JSON.stringify(before.value)
    await fc.assert(
      fc.asyncProperty(fc.array(fc.tuple(fc.constantFrom('a', 'b'), name, text), { maxLength: 4 }), async (entries) => {
        const store = Object.fromEntries(entries.map(([layer, key, value]) => [`${layer}/${key}`, value]))
        try {
          const { value, redaction } = await apply(store)
          expect(Object.getPrototypeOf(value)).toBe(Object.prototype)
          expect(() => JSON.stringify([value, redaction.isSecret(['a'])])).not.toThrow()
        } catch (error) {
          if (!(error instanceof ConfigRejection)) throw error
        }
        expect(({} as { polluted?: unknown }).polluted).toBeUndefined()
        expect(Object.keys(Object.prototype)).toEqual([])
        expect(JSON.stringify(before.value)).toBe(snapshot)
      }),
      { numRuns: 400 },
    )
  })
})
