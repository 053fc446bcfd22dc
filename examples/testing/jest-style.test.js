// The tests of `node-test.mjs` in the style of Jest: with its global functions, and one agent for the whole file, emptied between the tests.
//
// Needs:    Jest with ES modules, or vitest with `--globals`; Consul is embedded.
// Run:      npx vitest run --root examples/testing jest-style
// Expected: 3 passed
import { startEmbeddedConsul } from 'proconsul/testing'
import { next, startGreeter, startUser } from './greeter.mjs'

let consul, greeter

beforeAll(async () => {
  consul = await startEmbeddedConsul()
})

beforeEach(async () => {
  await startUser(consul.url, 'ada')
  greeter = await startGreeter(consul.url)
})

afterEach(async () => {
  await greeter.close()
  consul.reset()
})

afterAll(() => consul.close())

test('it goes on with what it knows while Consul is down', async () => {
  const stale = next(greeter.users, 'stale')
  const fault = consul.faults.refuse()
  await stale
  expect(greeter.greet()).toBe('Hello, ada')
  const recovered = next(greeter.users, 'recovered')
  fault.remove()
  await recovered
})

test('it turns to another instance when one dies', async () => {
  const added = next(greeter.users, 'change')
  await startUser(consul.url, 'bob')
  await added
  const removed = next(greeter.users, 'change')
  await fetch(`${consul.url}/v1/agent/check/fail/service:ada`, { method: 'PUT' })
  await removed
  expect(greeter.greet()).toBe('Hello, bob')
})

test('it keeps the last good configuration when the next one is bad', async () => {
  const changed = next(greeter.settings, 'change')
  await fetch(`${consul.url}/v1/kv/config/greeter/greeting`, { method: 'PUT', body: 'Salve' })
  await changed
  const rejected = next(greeter.settings, 'rejected')
  await fetch(`${consul.url}/v1/kv/config/greeter/greeting`, { method: 'PUT', body: ' ' })
  await rejected
  expect(greeter.greet()).toBe('Salve, ada')
})
