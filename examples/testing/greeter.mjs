// The service under test of the examples in this folder: it greets through the instances of `users`, with a greeting from the KV store.
//
// Needs:    nothing; it is imported by the tests beside it.
// Run:      node examples/testing/greeter.mjs does nothing by itself.
// Expected: no output.
import { Proconsul } from 'proconsul'

function checkSettings(raw) {
  if (typeof raw.greeting !== 'string' || raw.greeting.trim() === '') throw new Error('greeting must not be empty')
  return { greeting: raw.greeting }
}

export async function startGreeter(address) {
  const consul = new Proconsul({ address })
  const users = consul.watchService('users', { health: 'passing' })
  const settings = await consul.config({
    layers: ['config/greeter'],
    defaults: { greeting: 'Hello' },
    schema: checkSettings,
  })
  await users.ready()
  return {
    users,
    settings,
    greet() {
      const [instance] = users.instances
      return instance === undefined ? 'nobody is there' : `${settings.value.greeting}, ${instance.id}`
    },
    close: () => consul.close(),
  }
}

/** Registers an instance of `users` with a TTL, as its own process would. */
export async function startUser(address, id, ttl = '1h') {
  await fetch(`${address}/v1/agent/service/register`, {
    method: 'PUT',
    body: JSON.stringify({ ID: id, Name: 'users', Port: 80, Check: { TTL: ttl, Status: 'passing' } }),
  })
}

/** Resolves at the next event; unlike `once` of node:events it does not end at an `error` event. */
export function next(emitter, event) {
  return new Promise((resolve) => emitter.once(event, resolve))
}
