// Configuration that zod checks and types: a bad value is refused, and the last good one stays.
//
// Needs:    an agent at CONSUL_HTTP_ADDR, by default 127.0.0.1:8500.
// Run:      node examples/config/zod.mjs
// Expected: 10 connections to db.example.com / refused: pool.size … / still 10 / now 20
import { once } from 'node:events'
import { Proconsul } from 'proconsul'
import { z } from 'zod'

const schema = z.object({
  pool: z.object({ size: z.coerce.number().int().min(1).max(100) }),
  db: z.object({ host: z.string().default('db.example.com') }).prefault({}),
})

const consul = new Proconsul()
await consul.kv.set('config/example-zod/pool/size', '10')
const settings = await consul.config({ layers: ['config/example-zod'], schema, debounce: 0 })
console.log(`${settings.value.pool.size} connections to ${settings.value.db.host}`)

const rejected = once(settings, 'rejected')
await consul.kv.set('config/example-zod/pool/size', 'many')
const [{ issues, origin }] = await rejected
console.log(`refused: ${issues[0].path} of ${origin.key}: ${issues[0].message}`)
console.log(`still ${settings.value.pool.size}`)

const changed = once(settings, 'change')
await consul.kv.set('config/example-zod/pool/size', '20')
await changed
console.log(`now ${settings.value.pool.size}`)

await consul.kv.deleteTree('config/example-zod/')
await consul.close()
