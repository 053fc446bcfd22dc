// The same service as service.mjs, in a CommonJS project.
//
// Needs: an agent at CONSUL_HTTP_ADDR, by default 127.0.0.1:8500.
// Run:   node examples/service/service.cjs            (end it with Ctrl-C or SIGTERM)
const { once } = require('node:events')
const { createServer } = require('node:http')
const { Proconsul } = require('proconsul')

async function main() {
  const consul = new Proconsul()

  const settings = await consul.config({ layers: ['config/orders'], defaults: { greeting: 'hello' } })
  settings.on('change', ({ value }) => console.log(`greeting is now ${value.greeting}`))

  const peers = consul.watchService('orders')
  peers.on('change', ({ snapshot }) => console.log(`orders has ${snapshot.instances.length} instances`))

  const server = createServer((_request, response) => {
    response.end(`${settings.value.greeting} from one of ${peers.instances.length}\n`)
  })
  server.listen(Number(process.env.PORT ?? 0), '127.0.0.1')
  await once(server, 'listening')

  consul.shutdownOnSignals({
    drain: process.env.DRAIN ?? '5s',
    timeout: '10s',
    onDrained: () => server.close(),
    onClosed: ({ leftBehind }) => console.log(`left, ${leftBehind.length} registrations stayed behind`),
  })

  const registration = await consul.registerService({
    name: 'orders',
    address: '127.0.0.1',
    port: server.address().port,
    check: { type: 'ttl', ttl: '15s', probes: { memory: () => process.memoryUsage.rss() < 2e9 || 'over 2 GB' } },
  })
  console.log(`registered as ${registration.id}, serving http://127.0.0.1:${server.address().port}`)
}

main()
