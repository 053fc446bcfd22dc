/**
 * One small service of the demo, in a process of its own: registers, serves, watches another service, follows its configuration, and
 * leaves on SIGTERM. It tells its parent what happens to it, and lets the parent break and mend its database.
 *
 *   node service.mjs <name> <service to watch>
 */
import { once } from 'node:events'
import { createServer } from 'node:http'
import { Proconsul } from 'proconsul'

const [name = '', watched = ''] = process.argv.slice(2)
const tell = (type, facts = {}) => process.send?.({ type, ...facts })
const names = (instances) => instances.map((instance) => instance.id)

let isDatabaseUp = true
const consul = new Proconsul()

const settings = await consul.config({
  layers: ['config/application', `config/${name}`],
  defaults: { greeting: 'hello' },
})
settings.on('change', ({ value, paths }) => tell('reconfigured', { greeting: value.greeting, paths }))

const server = createServer((_request, response) => response.end(`${settings.value.greeting} from ${name}`))
server.listen(0, '127.0.0.1')
await once(server, 'listening')

const registration = await consul.registerService({
  name,
  address: '127.0.0.1',
  port: server.address().port,
  tags: ['demo'],
  check: {
    type: 'ttl',
    ttl: '3s',
    deregisterCriticalServiceAfter: '1m',
    probes: {
      database: {
        interval: '250ms',
        run: () => {
          if (!isDatabaseUp) throw new Error('connection refused')
        },
      },
    },
  },
})
registration.on('health', ({ status }) => tell('health', { status }))
tell('registered', { id: registration.id, greeting: settings.value.greeting })

const peers = consul.watchService(watched)
peers.on('change', ({ added, removed, updated, snapshot }) => {
  tell('peers', {
    added: names(added),
    removed: names(removed),
    updated: names(updated),
    now: names(snapshot.instances),
  })
})

process.on('message', ({ type }) => {
  isDatabaseUp = type !== 'break-database'
})
consul.shutdownOnSignals({
  drain: '500ms',
  timeout: '10s',
  onDrained: () => {
    tell('drained')
    return server.close()
  },
  onClosed: ({ leftBehind }) => tell('left', { leftBehind: leftBehind.length }),
})
