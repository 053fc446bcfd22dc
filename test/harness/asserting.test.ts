/** The lint of the project finds tests that check nothing. */
import { ESLint } from 'eslint'
import { describe, expect, it } from 'vitest'

const eslint = new ESLint()

async function complaints(code: string): Promise<readonly string[]> {
  const [result] = await eslint.lintText(code, { filePath: 'examples/testing/deliberate.test.js' })
  return (result?.messages ?? []).map(({ message }) => message)
}

const NO_MATCHER = 'This expect has no matcher, so it asserts nothing.'
const NOT_CALLED = 'This matcher is not called, so it asserts nothing.'

describe('a test whose expect asserts nothing is refused', () => {
  it.each([
    ["expect(greeter.greet(), 'Hello).toBe(ada')", NO_MATCHER],
    ['await expect(promise)', NO_MATCHER],
    ['test("x", () => expect(1))', NO_MATCHER],
    ['const later = expect(1)', NO_MATCHER],
    ['expect(1).toBe', NOT_CALLED],
    ['await expect(promise).rejects', NOT_CALLED],
    ['await expect(promise).rejects.toThrow', NOT_CALLED],
    ['expect(1).not.toBe', NOT_CALLED],
  ])('%s', async (code, message) => {
    expect(await complaints(code)).toEqual([message])
  })

  it.each([
    "expect(greeter.greet()).toBe('Hello, ada')",
    'await expect(promise).rejects.toThrow()',
    'expect(list, "the list").not.toContain(1)',
    'test("x", () => expect(1).toBe(1))',
    "expect.fail('not yet')",
    'expect(value).toMatchObject({ message: expect.stringContaining("x") })',
  ])('but not %s', async (code) => {
    expect(await complaints(code)).toEqual([])
  })
})
