// Watches a service while instances come and go.
//
// Needs:    an agent at CONSUL_HTTP_ADDR, by default 127.0.0.1:8500.
// Run:      node examples/02-watch-a-service.mjs
// Expected: 0 instances (not-registered) / 1 instances: http://127.0.0.1:4001 / 2 instances: … / 1 instances: …
import { instanceUrl, Proconsul } from 'proconsul'

const consul = new Proconsul()

const start = (port) =>
  consul.registerService({
    name: 'example-watch',
    address: '127.0.0.1',
    port,
    check: { type: 'ttl', ttl: '10s' },
  })

const watcher = consul.watchService('example-watch')
const steps = [
  () => start(4001),
  () => start(4002),
  (first) => consul.deregisterService(first.id),
  () => watcher.close(),
]

// Each item is the current state; what came while the body ran is skipped but for the latest.
for await (const { instances, emptyReason } of watcher) {
  const places = instances.map((instance) => instanceUrl(instance)).join(', ')
  console.log(`${instances.length} instances${emptyReason ? ` (${emptyReason})` : `: ${places}`}`)
  await steps.shift()(instances[0])
}
await consul.close()
