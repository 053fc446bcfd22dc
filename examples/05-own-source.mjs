// Follows instances from a source of one's own, a JSON file, with the events, guards and failover that Consul's have.
//
// Needs:    nothing.
// Run:      node examples/05-own-source.mjs
// Expected: :4001/health …:4004/health / stale: … instances[0].port is "http" / recovered / 4 of 4 instances are gone at once / now: …:5001
import assert from 'node:assert/strict'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { once } from 'node:events'
import { instanceUrl, watchInstances } from 'proconsul'
import { jsonFileSource } from './own-source/json-file-source.mjs'

const folder = await mkdtemp(join(tmpdir(), 'own-source-'))
const [primary, spare] = ['users.json', 'spare.json'].map((name) => join(folder, name))
const write = (path, ...ports) =>
  writeFile(path, JSON.stringify(ports.map((port) => ({ id: `users-${port}`, name: 'users', address: '::1', port }))))

await write(primary, 4001, 4002, 4003, 4004)
await write(spare, 5001)
const users = watchInstances(jsonFileSource(primary), {
  lossGuard: { hold: '500ms' },
  failover: { sources: [jsonFileSource(spare)] },
})
users.on('stale', ({ error }) => console.log('stale:', error.message))
users.on('recovered', () => console.log('recovered'))

const { instances } = await users.ready({ timeout: '5s' })
console.log(instances.map((instance) => instanceUrl(instance, '/health')).join(' '))
assert.equal(instanceUrl(instances[0], '/health'), 'http://[::1]:4001/health')

const failed = once(users, 'error')
await writeFile(primary, '[{ "id": "users-4001", "name": "users", "address": "::1", "port": "http" }]')
const [error] = await failed
console.log(error.code, error.message)
assert.equal(users.instances.length, 4)

const back = once(users, 'recovered')
await write(primary, 4001, 4002, 4003, 4004)
await back

const switched = once(users, 'change')
await write(primary)
const [{ snapshot }] = await switched
console.log('now:', snapshot.instances.map((instance) => instanceUrl(instance)).join(' '))
assert.deepEqual(
  snapshot.instances.map(({ port }) => port),
  [5001],
)

await users.close()
await rm(folder, { recursive: true })
