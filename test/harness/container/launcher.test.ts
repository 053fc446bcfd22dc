import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { startConsul } from '../../support/consul-agent.js'
import { findConsulContainer, type ConsulSource } from '../../support/consul-binary.js'
import { eventually } from '../../support/eventually.js'
import { runCommand } from '../../support/process/run-command.js'
import { extractConsul, findConsulImage, type ConsulImage } from '../../support/provision/container-image.js'

describe('the launcher with Consul in a container', () => {
  let found: ConsulImage
  let source: ConsulSource

  beforeAll(async () => {
    found = await findConsulImage()
    source = await findConsulContainer()
  })

  const containers = async (): Promise<number> => {
    const running = await found.client.container.list()
    return running.filter(({ Image }) => Image === found.image).length
  }

  it('starts an agent that has a leader', async () => {
    await using agent = await startConsul({ source })
    expect(await agent.read<string>('/v1/status/leader')).not.toBe('')
    const self = await agent.read<{ Config: { NodeName: string; Version: string } }>('/v1/agent/self')
    expect(self.Config).toMatchObject({ NodeName: agent.node, Version: agent.version })
    expect(await agent.logs()).toContain('Consul agent running')
  })

  it('keeps or loses its state over a restart, on the same port', async () => {
    await using agent = await startConsul({ source, durable: true })
    const { address } = agent
    const status = async (): Promise<number> => (await agent.request('GET', '/v1/kv/colour')).status
    await agent.request('PUT', '/v1/kv/colour', { body: 'red' })
    await agent.restart()
    expect(await status()).toBe(200)
    await agent.restart({ keepState: false })
    expect(await status()).toBe(404)
    expect(agent.address).toBe(address)
  })

  it('can be paused and resumed', async () => {
    await using agent = await startConsul({ source })
    await agent.pause()
    await expect(agent.request('GET', '/v1/status/leader', { within: 300 })).rejects.toThrow('no answer')
    await agent.resume()
    expect(await agent.read<string>('/v1/status/leader')).not.toBe('')
  })

  it('can be down for a while', async () => {
    await using agent = await startConsul({ source })
    await agent.kill()
    await expect(agent.request('GET', '/v1/status/leader')).rejects.toThrow(/ECONNREFUSED|ECONNRESET|hang up/)
    await agent.start()
    expect(await agent.read<string>('/v1/status/leader')).not.toBe('')
  })

  it('leaves no container behind, not even of a paused agent', async () => {
    const before = await containers()
    const agent = await startConsul({ source })
    expect(await containers()).toBe(before + 1)
    await agent.pause()
    await agent.close()
    await eventually(async () => expect(await containers()).toBe(before))
  })

  it('says which options need a program rather than a container', async () => {
    await expect(startConsul({ source, tls: true })).rejects.toThrow('{ tls: true } needs Consul as a program')
  })
})

describe('an image of Consul', () => {
  let folder: string

  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'proconsul-image-'))
  })
  afterAll(() => rm(folder, { recursive: true, force: true }))

  it('gives its program, which runs outside of a container too', async () => {
    const binary = join(folder, 'consul')
    await extractConsul(await findConsulImage(), folder, binary)
    expect(await runCommand(binary, ['version'])).toMatch(/^Consul v\d/)
  })
})
