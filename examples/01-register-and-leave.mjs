// Registers a service with a probe, shows its health, and leaves.
//
// Needs:    an agent at CONSUL_HTTP_ADDR, by default 127.0.0.1:8500.
// Run:      node examples/01-register-and-leave.mjs
// Expected: registered as … / passing / warning: disk 91 % full / deregistered
import { once } from 'node:events'
import { Proconsul } from 'proconsul'

const consul = new Proconsul()

let disk = 40
const registration = await consul.registerService({
  name: 'example-register',
  address: '127.0.0.1',
  port: 3000,
  check: {
    type: 'ttl',
    ttl: '10s',
    probes: { disk: { interval: '100ms', run: () => disk < 90 || { status: 'warning', output: `${disk} % full` } } },
  },
})
console.log(`registered as ${registration.id}`)
console.log(registration.health.status)

disk = 91
await once(registration, 'health')
const { status, probes } = registration.health
console.log(`${status}: disk ${probes.disk.output}`)

await registration.deregister()
console.log(registration.state)
await consul.close()
