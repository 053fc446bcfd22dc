// Reads configuration from two layers and follows a change.
//
// Needs:    an agent at CONSUL_HTTP_ADDR, by default 127.0.0.1:8500.
// Run:      node examples/03-live-configuration.mjs
// Expected: pool of 10, level info / pool.size comes from config/example-app/pool/size / now 20, changed: pool.size
import { once } from 'node:events'
import { Proconsul } from 'proconsul'

const consul = new Proconsul()
await consul.kv.set('config/example-application/log/level', 'info')
await consul.kv.set('config/example-application/pool/size', '5')
await consul.kv.set('config/example-app/pool/size', '10')

const settings = await consul.config({
  layers: ['config/example-application', 'config/example-app'], // the later one wins
  schema: (raw) => ({ pool: { size: Number(raw.pool.size) }, level: String(raw.log.level) }),
})
console.log(`pool of ${settings.value.pool.size}, level ${settings.value.level}`)
console.log(`pool.size comes from ${settings.origin('pool.size').key}`)

const changed = once(settings, 'change')
await consul.kv.set('config/example-app/pool/size', '20')
const [{ value, paths }] = await changed
console.log(`now ${value.pool.size}, changed: ${paths.join(', ')}`)

await consul.kv.deleteTree('config/example-app/')
await consul.kv.deleteTree('config/example-application/')
await consul.close()
