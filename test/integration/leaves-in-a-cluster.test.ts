import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { startConsul, type ConsulAgent } from '../support/consul-agent.js'
import { eventually } from '../support/eventually.js'
import { startProgram } from '../support/written-program.js'

/** Programs of several processes, as the guide to deploying has them. */

let agent: ConsulAgent
beforeAll(async () => {
  agent = await startConsul()
})
afterAll(() => agent.close())

const registered = async (): Promise<readonly string[]> => Object.keys(await agent.read<object>('/v1/agent/services'))

/** Workers that share a port, registered by the primary. */
const SHARED_PORT = `
  import cluster from 'node:cluster'
  import { once } from 'node:events'
  import { createServer } from 'node:http'
  import { Proconsul } from 'proconsul'

  if (cluster.isPrimary) {
    const workers = [cluster.fork(), cluster.fork()]
    const consul = new Proconsul()
    consul.shutdownOnSignals({
      drain: '300ms',
      onDrained: async () => {
        console.log('drained')
        const ended = workers.map((worker) => once(worker, 'exit'))
        for (const worker of workers) worker.process.kill('SIGTERM')
        for (const [code, signal] of await Promise.all(ended)) console.log('worker: ' + (signal ?? code))
      },
    })
    await Promise.all(workers.map((worker) => once(worker, 'listening')))
    await consul.registerService({ name: 'shared', address: '127.0.0.1', port: 3000 })
    console.log('registered')
  } else {
    const server = createServer((request, response) => response.end('hello')).listen(0, '127.0.0.1')
    process.on('SIGTERM', () => server.close(() => process.exit(0)))
    process.on('SIGINT', () => undefined)
  }
`

/** Workers with ports of their own, each with a registration. */
const OWN_PORTS = `
  import cluster from 'node:cluster'
  import { once } from 'node:events'
  import { createServer } from 'node:http'
  import { Proconsul } from 'proconsul'

  if (cluster.isPrimary) {
    for (let i = 0; i < 3; i += 1) {
      const worker = cluster.fork()
      worker.on('exit', (code, signal) => console.log('worker: ' + (signal ?? code)))
      process.on('SIGTERM', () => worker.process.kill('SIGTERM'))
    }
  } else {
    const server = createServer((request, response) => response.end('hello'))
    server.listen({ port: 0, host: '127.0.0.1', exclusive: true })
    await once(server, 'listening')
    const consul = new Proconsul()
    consul.shutdownOnSignals({ drain: '300ms', onDrained: () => server.close() })
    await consul.registerService({ name: 'own', address: '127.0.0.1', port: server.address().port })
    console.log('registered')
  }
`

/** The built package: each process of a cluster would have to compile the sources. */
const start = (source: string) =>
  startProgram(source, { CONSUL_HTTP_ADDR: agent.address }, { ownGroup: true, built: true })

describe('a cluster of processes that is told to stop', () => {
  it('with one registration for all: the primary leaves, drains, and ends last, by the signal', async () => {
    const service = await start(SHARED_PORT)
    await service.toPrint(/registered/)
    expect(await service.end('SIGTERM')).toMatchObject({ code: null, signal: 'SIGTERM' })
    expect(service.output).toBe('registered\ndrained\nworker: 0\nworker: 0\n')
    expect(await registered()).toEqual([])
  })

  it('by a Ctrl-C, which reaches every process: serves on until the primary has drained', async () => {
    const service = await start(SHARED_PORT)
    await service.toPrint(/registered/)
    service.sendToGroup('SIGINT')
    await service.toPrint(/worker: 0\nworker: 0\n/)
    expect(await service.end()).toMatchObject({ code: null, signal: 'SIGINT' })
    expect(await registered()).toEqual([])
  })

  it('with a registration for each worker: all leave in order, though the signal comes from two sides', async () => {
    const service = await start(OWN_PORTS)
    await eventually(() => expect(service.output.match(/registered/g)).toHaveLength(3), { within: 15_000 })
    service.sendToGroup('SIGTERM')
    await eventually(() => expect(service.output.match(/worker: SIGTERM/g)).toHaveLength(3))
    expect(await registered()).toEqual([])
    expect(service.errors).toBe('')
  })
})
