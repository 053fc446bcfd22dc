import Consul from 'consul'
import { Proconsul } from '../../src/proconsul.js'

/** A process that registers, says so, and waits to be killed. Arguments: service, host, port, and a TTL in ms for `ours`. */
const [service = '', host = '', port = '', ttl = '10000'] = process.argv.slice(2)
const check = { ttl: Number(ttl), deregisterCriticalServiceAfter: '1m' } as const

if (service === 'ours') {
  await new Proconsul({ address: `http://${host}:${port}` }).registerService({ name: service, id: service, check })
} else {
  const client = new Consul({ host, port: Number(port) })
  const options = { name: service, id: service, check: { ttl: '10s', deregistercriticalserviceafter: '1m' } }
  await client.agent.service.register(options as never)
  await client.agent.check.pass(`service:${service}`)
  setInterval(() => void client.agent.check.pass(`service:${service}`).catch(() => undefined), 3_333)
}
process.send?.('registered')
