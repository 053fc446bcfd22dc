/** Several named ports over HTTP. The agent of 1.22 is an embedded one; the refusals of a real one of 1.8 are in `test/integration`. */
import { afterEach, describe, expect, test } from 'vitest'
import { Proconsul } from '../../src/proconsul.js'
import { startEmbeddedConsul, type ConsulVersion } from '../../src/testing/index.js'
import { eventually } from '../support/eventually.js'

const open: AsyncDisposable[] = []

afterEach(async () => {
  for (const thing of open.splice(0).reverse()) await thing[Symbol.asyncDispose]()
})

async function clientOf(version: ConsulVersion): Promise<Proconsul> {
  const agent = await startEmbeddedConsul({ version })
  open.push(agent)
  const consul = new Proconsul({ address: agent.url })
  const close = async (): Promise<void> => {
    await consul.close({ timeout: '500ms' })
  }
  open.push({ [Symbol.asyncDispose]: close })
  return consul
}

const HTTP = { name: 'http', port: 8080 }
const GRPC = { name: 'grpc', port: 9090 }

/** Where callers would go, by instance. */
const ports = (instances: readonly { readonly id: string; readonly port: number }[]): Record<string, number> =>
  Object.fromEntries(instances.map(({ id, port }) => [id, port]))

describe('a service with several named ports, on an agent of 1.22,', () => {
  test('is found at its default port, with all of them by name, in a watch and in a single look', async () => {
    const consul = await clientOf('1.22')
    await consul.registerService({ name: 'web', id: 'first', ports: [HTTP, GRPC] })
    const chosen = [HTTP, { ...GRPC, default: true }]
    await consul.registerService({ name: 'web', id: 'chosen', ports: chosen })
    await consul.registerService({ name: 'web', id: 'single', port: 80 })
    const watcher = consul.watchService('web')
    for (const instances of [(await watcher.ready()).instances, await consul.discover('web')]) {
      expect(ports(instances)).toEqual({ first: 8080, chosen: 9090, single: 80 })
      const byId = Object.fromEntries(instances.map((instance) => [instance.id, instance.ports]))
      expect(byId).toEqual({ first: { http: 8080, grpc: 9090 }, chosen: { http: 8080, grpc: 9090 }, single: {} })
    }
  })

  test('is found at the port that is asked for, and left out where it has none of that name', async () => {
    const consul = await clientOf('1.22')
    await consul.registerService({ name: 'web', id: 'both', ports: [HTTP, GRPC] })
    await consul.registerService({ name: 'web', id: 'plain', ports: [HTTP] })
    await consul.registerService({ name: 'web', id: 'single', port: 80 })
    expect(ports(await consul.discover('web', { port: 'grpc' }))).toEqual({ both: 9090 })
    expect(await consul.discover('web', { port: 'admin' })).toEqual([])
    expect(ports((await consul.watchService('web', { port: 'grpc' }).ready()).instances)).toEqual({ both: 9090 })
    expect(await consul.watchService('web', { port: 'admin' }).ready()).toMatchObject({
      instances: [],
      emptyReason: 'none-matching',
    })
  })

  test('comes to those who watch a port when it opens it, and goes when it closes it', async () => {
    const consul = await clientOf('1.22')
    await consul.registerService({ name: 'web', id: 'moves', ports: [HTTP] })
    const watcher = consul.watchService('web', { port: 'grpc' })
    const told: string[] = []
    watcher.on('change', ({ added, removed, updated }) => {
      told.push(...added.map(({ port }) => `+${port}`), ...removed.map(({ port }) => `-${port}`))
      told.push(...updated.map(({ port }) => `~${port}`))
    })
    expect((await watcher.ready()).emptyReason).toBe('none-matching')
    await consul.deregisterService('moves')
    await consul.registerService({ name: 'web', id: 'moves', ports: [HTTP, GRPC] })
    await eventually(() => expect(told).toEqual(['+9090']))
    await consul.deregisterService('moves')
    await eventually(() => expect(told).toEqual(['+9090', '-9090']))
    await consul.registerService({ name: 'web', id: 'moves', ports: [HTTP, { name: 'grpc', port: 9191 }] })
    await eventually(() => expect(told).toEqual(['+9090', '-9090', '+9191']))
    expect(watcher.snapshot.emptyReason).toBeUndefined()
  })
})

describe('an agent of 1.8', () => {
  test('is told of no service with several ports: the refusal names its version, and nothing is registered', async () => {
    const consul = await clientOf('1.8')
    await expect(consul.registerService({ name: 'web', ports: [HTTP, GRPC] })).rejects.toMatchObject({
      code: 'PROCONSUL_INVALID_OPTION',
      message: expect.stringMatching(/^ports .*the agent is 1\.8\.7, and several need 1\.22/) as string,
    })
    expect(await consul.discover('web', { health: 'any' })).toEqual([])
    await consul.registerService({ name: 'web', id: 'single', port: 80 })
    expect(ports(await consul.discover('web'))).toEqual({ single: 80 })
    expect(await consul.discover('web', { port: 'http' })).toEqual([])
  })
})
