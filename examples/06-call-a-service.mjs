// Calls a service of three instances through a balancer, while one of them dies without a word.
//
// Needs:    an agent at CONSUL_HTTP_ADDR, by default 127.0.0.1:8500.
// Run:      node examples/06-call-a-service.mjs
// Expected: not called for a while: … (connection-failures) / 300 calls, 0 failed
import { once } from 'node:events'
import { createServer } from 'node:http'
import { instanceUrl, Proconsul } from 'proconsul'

const consul = new Proconsul()

async function start() {
  const server = createServer((_request, response) => response.end('hello'))
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address()
  await consul.registerService({ name: 'example-call', address: '127.0.0.1', port, check: { ttl: '10s' } })
  return server
}

const servers = await Promise.all([start(), start(), start()])
// The default, p2c, would avoid it from its first failure on; one after the other shows how it is left out.
const balancer = consul.balancer('example-call', { policy: 'round-robin' })
balancer.on('ejected', ({ instance, reason }) => console.log(`not called for a while: ${instance.id} (${reason})`))

let failed = 0
for (let call = 0; call < 300; call += 1) {
  // It dies, and goes on to be listed by Consul: here, because its heartbeat comes from this process.
  if (call === 100) servers[0].close(() => undefined).closeAllConnections()
  const get = async (instance, { signal }) => {
    const response = await fetch(instanceUrl(instance), { signal })
    return await response.text()
  }
  await balancer.use(get, { idempotent: true }).catch(() => (failed += 1))
}
console.log(`300 calls, ${failed} failed`)
await consul.close({ drain: 0 })
for (const server of servers) server.close().closeAllConnections()
