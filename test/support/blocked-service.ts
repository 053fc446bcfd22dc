import Consul from 'consul'
import { Proconsul } from '../../src/proconsul.js'

/** A process whose event loop stands still for a while. Arguments: `ours` or `theirs`, host, port, TTL and length of the block in ms. */
const [kind = '', host = '', port = '', ttl = '', block = ''] = process.argv.slice(2)
const ttlMs = Number(ttl)
const id = `${kind}-1`

const leave = kind === 'ours' ? await registerOurs() : await registerTheirs()
process.send?.('registered')
await new Promise((resolve) => setTimeout(resolve, ttlMs / 3))
process.send?.('blocking')
const until = performance.now() + Number(block)
while (performance.now() < until);
process.send?.('free')
process.on('message', () => void leave().then(() => process.disconnect()))

async function registerOurs(): Promise<() => Promise<unknown>> {
  const client = new Proconsul({ address: `http://${host}:${port}` })
  await client.registerService({
    name: kind,
    id,
    check: { ttl: ttlMs },
    heartbeat: { thread: 'worker' },
    eventLoop: { warnAfter: ttlMs / 10, criticalAfter: ttlMs * 1.5 },
  })
  return () => client.close()
}

/** What is usually written with the npm client. */
async function registerTheirs(): Promise<() => Promise<unknown>> {
  const client = new Consul({ host, port: Number(port) })
  await client.agent.service.register({ name: kind, id, check: { ttl: `${ttlMs}ms` } as never })
  const pass = (): Promise<unknown> => client.agent.check.pass(`service:${id}`).catch(() => undefined)
  await pass()
  const timer = setInterval(() => void pass(), ttlMs / 3)
  return async () => {
    clearInterval(timer)
    await client.agent.service.deregister(id)
  }
}
