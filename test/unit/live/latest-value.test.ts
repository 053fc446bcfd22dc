import { expect, it } from 'vitest'
import { LatestValue } from '../../../src/live/latest-value.js'

it('gives each reader the current value first and then only the latest', async () => {
  const latest = new LatestValue<number>()
  latest.publish(1)
  const [quick, slow] = [latest.iterate(), latest.iterate()]
  expect((await quick.next()).value).toBe(1)
  latest.publish(2)
  expect((await quick.next()).value).toBe(2)
  latest.publish(3)
  expect((await quick.next()).value).toBe(3)
  expect((await slow.next()).value).toBe(3)
})

it('ends an iteration that waits, and one that comes later, when it is closed', async () => {
  const latest = new LatestValue<number>()
  const waiting = latest.iterate().next()
  latest.close()
  expect((await waiting).done).toBe(true)
  expect((await latest.iterate().next()).done).toBe(true)
})

it('lets a reader leave while others go on', async () => {
  const latest = new LatestValue<number>()
  latest.publish(1)
  for await (const value of latest.iterate()) {
    expect(value).toBe(1)
    break
  }
  expect((await latest.iterate().next()).value).toBe(1)
})

it('lets a reader leave while its next value is not there yet', async () => {
  const latest = new LatestValue<number>()
  const [leaving, staying] = [latest.iterate(), latest.iterate()]
  const [waiting, next] = [leaving.next(), staying.next()]
  expect(await leaving.return?.()).toEqual({ done: true, value: undefined })
  expect(await waiting).toEqual({ done: true, value: undefined })
  latest.publish(1)
  expect((await next).value).toBe(1)
  expect((await leaving.next()).done).toBe(true)
})

it('gives a reader what the value has become meanwhile, when the reader says how', async () => {
  const latest = new LatestValue<number>()
  let current = 1
  latest.publish(current)
  const iterator = latest.iterate(() => current)
  current = 2
  expect((await iterator.next()).value).toBe(2)
})
