// Configuration of JSON documents that valibot checks and types, with a secret that is shown nowhere.
//
// Needs:    an agent at CONSUL_HTTP_ADDR, by default 127.0.0.1:8500.
// Run:      node examples/config/valibot.mjs
// Expected: hosts: a, b / db.password = [secret] from config/example-valibot
import { Proconsul } from 'proconsul'
import * as v from 'valibot'

const schema = v.object({
  hosts: v.pipe(v.array(v.string()), v.minLength(1)),
  db: v.object({ password: v.pipe(v.string(), v.minLength(8)) }),
})

const consul = new Proconsul()
const document = { hosts: ['a', 'b'], db: { password: 'correct horse' } }
await consul.kv.set('config/example-valibot', JSON.stringify(document))

const settings = await consul.config({
  layers: ['config/example-valibot'],
  format: 'json',
  schema,
  secrets: ['db.password'],
})
console.log(`hosts: ${settings.value.hosts.join(', ')}`)
for (const { path, value, key } of settings.explain()) {
  if (path === 'db.password') console.log(`${path} = ${value} from ${key}`)
}

await consul.kv.delete('config/example-valibot')
await consul.close()
