import { expect, it } from 'vitest'
import { Sequence } from '../../../src/core/sequence.js'

it('runs tasks one at a time, in order, whatever becomes of those before', async () => {
  const sequence = new Sequence()
  const log: string[] = []
  const task = (name: string, outcome: () => void) => async (): Promise<string> => {
    log.push(`${name} begins`)
    await Promise.resolve()
    log.push(`${name} ends`)
    outcome()
    return name
  }
  const fail = (): never => {
    throw new Error('broken')
  }
  const results = await Promise.allSettled([
    sequence.run(task('a', () => undefined)),
    sequence.run(task('b', fail)),
    sequence.run(task('c', () => undefined)),
  ])
  expect(log).toEqual(['a begins', 'a ends', 'b begins', 'b ends', 'c begins', 'c ends'])
  expect(results.map(({ status }) => status)).toEqual(['fulfilled', 'rejected', 'fulfilled'])
})
