import { expect, it } from 'vitest'
import { LatestValue } from '../../../src/live/latest-value.js'

/** A value that is replaced by hand. */
function latestOf(first?: number) {
  let value = first ?? 0
  const latest = new LatestValue<number>(() => value)
  const publish = (next: number): void => {
    value = next
    latest.publish()
  }
  if (first !== undefined) publish(first)
  return { latest, publish, become: (next: number) => (value = next) }
}

it('gives each reader the present value first and then only the latest', async () => {
  const { latest, publish } = latestOf(1)
  const [quick, slow] = [latest.iterate(), latest.iterate()]
  expect((await quick.next()).value).toBe(1)
  publish(2)
  expect((await quick.next()).value).toBe(2)
  publish(3)
  expect((await quick.next()).value).toBe(3)
  expect((await slow.next()).value).toBe(3)
})

it('lets a reader wait until there is a first value', async () => {
  const { latest, publish } = latestOf()
  const next = latest.iterate().next()
  publish(7)
  expect(await next).toEqual({ done: false, value: 7 })
})

it('gives one value to one of two reads of the same reader, and the next value to the other', async () => {
  const { latest, publish } = latestOf()
  const reader = latest.iterate()
  const [one, two] = [reader.next(), reader.next()]
  publish(1)
  expect((await one).value).toBe(1)
  publish(2)
  expect((await two).value).toBe(2)
})

it('ends an iteration that waits, and one that comes later, when it is closed', async () => {
  const { latest } = latestOf()
  const waiting = latest.iterate().next()
  latest.close()
  expect((await waiting).done).toBe(true)
  expect((await latest.iterate().next()).done).toBe(true)
})

it('lets a reader leave while others go on', async () => {
  const { latest } = latestOf(1)
  for await (const value of latest.iterate()) {
    expect(value).toBe(1)
    break
  }
  expect((await latest.iterate().next()).value).toBe(1)
})

it('lets a reader leave while its next value is not there yet', async () => {
  const { latest, publish } = latestOf()
  const [leaving, staying] = [latest.iterate(), latest.iterate()]
  const [waiting, next] = [leaving.next(), staying.next()]
  expect(await leaving.return?.()).toEqual({ done: true, value: undefined })
  expect(await waiting).toEqual({ done: true, value: undefined })
  publish(1)
  expect((await next).value).toBe(1)
  expect((await leaving.next()).done).toBe(true)
})

it('gives a reader what the value has become meanwhile', async () => {
  const { latest, become } = latestOf(1)
  const iterator = latest.iterate()
  become(2)
  expect((await iterator.next()).value).toBe(2)
})
