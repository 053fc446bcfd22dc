import { Resolver } from 'node:dns/promises'
import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { Proconsul } from '../../src/proconsul.js'
import type { Registration } from '../../src/registration/registration.js'
import { startConsul, type ConsulAgent } from '../support/consul-agent.js'
import { eventually } from '../support/eventually.js'
import { claimPorts, type PortBlock } from '../support/process/ports.js'

/** One service on a real Consul, looked at in every way in which callers find it. */

let ports: PortBlock
let agent: ConsulAgent
let consul: Proconsul
let registration: Registration
let server: Server
let status: 'passing' | 'warning' | 'critical' = 'passing'
const resolver = new Resolver()

beforeAll(async () => {
  ports = await claimPorts()
  agent = await startConsul({ flags: [`-dns-port=${ports.serfLan}`] })
  consul = new Proconsul({ address: agent.url })
  registration = await consul.registerService({
    name: 'web',
    address: '127.0.0.1',
    port: 80,
    weights: { passing: 10, warning: 3 },
    check: { type: 'ttl', ttl: '3s', probes: { soft: () => ({ status, output: status }) } },
  })
  server = createServer(consul.healthHandler()).listen(0, '127.0.0.1')
  resolver.setServers([`127.0.0.1:${ports.serfLan}`])
})

afterAll(async () => {
  server.close()
  await consul.close({ timeout: '1s' })
  await agent.close()
  ports.release()
})

/** The weight with which DNS names the service; undefined when it does not. */
async function weightInDns(): Promise<number | undefined> {
  try {
    const [record] = await resolver.resolveSrv('web.service.consul')
    return record?.weight
  } catch {
    return undefined
  }
}

async function readyz(): Promise<number> {
  const { port } = server.address() as AddressInfo
  return (await fetch(`http://127.0.0.1:${port}/readyz`)).status
}

describe('an instance of a service', () => {
  it.each([
    ['passing', 10, { serving: true, passing: true }],
    ['warning', 3, { serving: true, passing: false }],
    ['critical', undefined, { serving: false, passing: false }],
    ['passing', 10, { serving: true, passing: true }],
    ['maintenance', undefined, { serving: false, passing: false }],
  ] as const)(
    'that is %s is found and weighed alike by watchers, reads and DNS, and as ready as /readyz says',
    async (now, weight, found) => {
      if (now === 'maintenance') await registration.maintenance(true, 'by hand')
      else status = now
      await using serving = consul.watchService('web')
      await using passing = consul.watchService('web', { health: 'passing' })
      await using any = consul.watchService('web', { health: 'any' })
      await eventually(() => expect(any.instances.map((instance) => instance.status)).toEqual([now]), {
        within: 10_000,
      })
      await eventually(() => expect(serving.snapshot.stale || passing.snapshot.stale).toBe(false))
      await eventually(() => expect(serving.instances).toHaveLength(found.serving ? 1 : 0))
      await eventually(() => expect(passing.instances).toHaveLength(found.passing ? 1 : 0))
      expect(await consul.discover('web')).toHaveLength(found.serving ? 1 : 0)
      expect(await consul.discover('web', { health: 'passing' })).toHaveLength(found.passing ? 1 : 0)
      expect(any.instances[0]?.weight).toBe(weight ?? 0)
      await eventually(async () => expect(await weightInDns()).toBe(weight))
      // A maintenance says nothing of the process: it is the registry that sends nobody there.
      if (now !== 'maintenance') await eventually(async () => expect(await readyz()).toBe(found.serving ? 200 : 503))
    },
  )
})
