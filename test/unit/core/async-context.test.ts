import { AsyncLocalStorage } from 'node:async_hooks'
import { describe, expect, it } from 'vitest'
import { inThisContext, outOfContext } from '../../../src/core/async-context.js'

const request = new AsyncLocalStorage<string>()

describe('the async context', () => {
  it('of a loop is none, whoever started it, also after it has waited', async () => {
    const seen: (string | undefined)[] = []
    await request.run('a request', () =>
      outOfContext(async () => {
        seen.push(request.getStore())
        await new Promise((resolve) => setImmediate(resolve))
        seen.push(request.getStore())
      }),
    )
    expect(seen).toEqual([undefined, undefined])
  })

  it('of a callback is that in which it was handed over', () => {
    const callback = request.run('the owner', () => inThisContext((word: string) => `${word} of ${request.getStore()}`))
    expect(request.run('someone else', () => callback('context'))).toBe('context of the owner')
  })
})
