import { runInNewContext } from 'node:vm'
import { describe, expect, it } from 'vitest'
import { isError, isThenable, thrownText } from '../../../src/core/thrown.js'

const throws = (): never => {
  throw new Error('looked at')
}

const revoked = (): object => {
  const { proxy, revoke } = Proxy.revocable({}, {})
  revoke()
  return proxy
}

const HOSTILE: readonly (readonly [string, unknown])[] = [
  ['an object without a prototype', Object.create(null)],
  ['a revoked proxy', revoked()],
  ['a proxy that throws', new Proxy({}, { get: throws, getPrototypeOf: throws, ownKeys: throws, has: throws })],
  ['an object whose inspection throws', { [Symbol.for('nodejs.util.inspect.custom')]: throws }],
  ['an error whose message throws', Object.defineProperty(new Error('x'), 'message', { get: throws })],
  ['an error whose message is a number', Object.assign(new Error('x'), { message: 7 })],
  ['an error whose message is an object', Object.assign(new Error('x'), { message: {} })],
  ['undefined', undefined],
  ['null', null],
  ['a symbol', Symbol('s')],
  ['a bigint', 1n],
  ['a function', () => 1],
]

describe('what was thrown', () => {
  it.each(HOSTILE)('is a text for people and never throws: %s', (_name, value) => {
    expect(thrownText(value)).toEqual(expect.any(String))
    expect(thrownText(value)).not.toBe('')
  })

  it('is the message of an error, and the text itself where a text was thrown', () => {
    expect(thrownText(new Error('no database'))).toBe('no database')
    expect(thrownText('no database')).toBe('no database')
  })

  it.each<[unknown, string]>([
    [new RangeError(''), 'RangeError'],
    [Object.assign(new AggregateError([]), { code: 'ECONNREFUSED' }), 'ECONNREFUSED'],
    [Object.assign(new Error('x'), { message: undefined, name: '' }), 'Error'],
    [Object.assign(new Error('x'), { message: { code: 7 } }), '{ code: 7 }'],
    [runInNewContext("new RangeError('elsewhere')"), 'elsewhere'],
    [{ code: 7 }, '{ code: 7 }'],
  ])('is a line without a stack even where an error has no message: %o', (thrown, text) => {
    expect(thrownText(thrown)).toBe(text)
  })

  it('is known as an error in whatever realm it was made', () => {
    expect([new Error('x'), runInNewContext("new Error('x')")].map(isError)).toEqual([true, true])
    expect(['x', {}, null, { message: 'x' }].map(isError)).toEqual([false, false, false, false])
  })

  it.each(HOSTILE)('is not taken for a promise: %s', (_name, value) => {
    expect(isThenable(value)).toBe(false)
  })

  it('may be a promise of another library', () => {
    expect(isThenable(Promise.resolve())).toBe(true)
    expect(isThenable({ then: () => undefined })).toBe(true)
    expect(isThenable(Object.assign(() => 1, { then: () => undefined }))).toBe(true)
    expect(isThenable({ then: 'soon' })).toBe(false)
  })
})
