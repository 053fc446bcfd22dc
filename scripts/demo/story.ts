import { Proconsul } from 'proconsul'
import { startEmbeddedConsul } from 'proconsul/testing'
import { startConsul } from '../../test/support/consul-agent.js'
import { DemoService } from './demo-service.js'
import { Narrator } from './narrator.js'

interface DemoAgent extends AsyncDisposable {
  readonly url: string
  readonly description: string
}

/** Plays the story and rejects, naming what went wrong, when it does not go as told. */
export async function playDemo({ real }: { readonly real: boolean }): Promise<void> {
  const narrator = new Narrator()
  const services: DemoService[] = []
  await using agent = await openAgent(real)
  await using consul = new Proconsul({ address: agent.url })
  const start = (label: string, name: string, watched: string): DemoService => {
    const service = new DemoService(label, name, watched, agent.url, narrator)
    services.push(service)
    return service
  }
  try {
    narrator.chapter(`Consul: ${agent.description}`)
    await consul.kv.set('config/orders/greeting', 'good morning')

    narrator.chapter('Three services start: two of users, and orders, which watches users')
    const [first, second] = [start('users-1', 'users', 'orders'), start('users-2', 'users', 'orders')]
    await Promise.all([first, second].map((users) => users.toTell('registered', 'that it is registered')))
    const orders = start('orders', 'orders', 'users')
    await orders.toTell('registered', 'that it is registered')
    await orders.toTell('peers', 'that it sees both users', (told) => told.now.length === 2)

    narrator.chapter('The database of users-1 goes down: its heartbeat says so, and orders stops calling it')
    first.breakDatabase()
    await first.toTell('health', 'that it is critical', (told) => told.status === 'critical')
    await orders.toTell('peers', 'that users-1 is gone', (told) => told.removed.includes(first.id))
    first.mendDatabase()
    await first.toTell('health', 'that it is passing', (told) => told.status === 'passing')
    await orders.toTell('peers', 'that users-1 is back', (told) => told.added.includes(first.id))

    narrator.chapter('users-2 is killed with SIGKILL: its TTL runs out')
    await second.end('SIGKILL')
    await orders.toTell('peers', 'that users-2 is gone', (told) => told.removed.includes(second.id))

    narrator.chapter('Another instance of users starts')
    const third = start('users-3', 'users', 'orders')
    await third.toTell('registered', 'that it is registered')
    await orders.toTell('peers', 'that it sees users-3', (told) => told.added.includes(third.id))

    narrator.chapter('A configuration key changes')
    await consul.kv.set('config/orders/greeting', 'good evening')
    await orders.toTell('reconfigured', 'the new greeting', (told) => told.greeting === 'good evening')

    narrator.chapter('Everyone gets SIGTERM: out of discovery, drain, close')
    const ended = await Promise.all([first, third, orders].map((service) => service.end('SIGTERM')))
    if (ended.some((signal) => signal !== 'SIGTERM')) throw new Error(`ended by ${ended.join(', ')} instead of SIGTERM`)
    const left = (await Promise.all(['users', 'orders'].map((name) => consul.discover(name)))).flat()
    if (left.length > 0) throw new Error(`still in Consul: ${left.map((instance) => instance.id).join(', ')}`)
    narrator.say('demo', 'nobody is left in Consul')
  } finally {
    await Promise.all(services.map((service) => service.end('SIGKILL')))
    await consul.deregisterService(services[1]?.id ?? '').catch(() => undefined)
    await consul.kv.delete('config/orders/greeting').catch(() => undefined)
  }
}

async function openAgent(real: boolean): Promise<DemoAgent> {
  const given = process.env['CONSUL_HTTP_ADDR']
  if (given !== undefined && given !== '') {
    return { url: given, description: `the one at ${given}`, [Symbol.asyncDispose]: () => Promise.resolve() }
  }
  if (real) {
    const agent = await startConsul()
    return { url: agent.url, description: `a real ${agent.version} agent`, [Symbol.asyncDispose]: () => agent.close() }
  }
  const agent = await startEmbeddedConsul()
  return {
    url: agent.url,
    description: 'the embedded agent (set CONSUL_HTTP_ADDR, or pass --real, for a real one)',
    [Symbol.asyncDispose]: () => agent.close(),
  }
}
