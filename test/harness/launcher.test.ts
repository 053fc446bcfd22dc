import { existsSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import { startConsul, type ConsulAgent } from '../support/consul-agent.js'
import { askConsul } from '../support/consul-http.js'
import { eventually } from '../support/eventually.js'
import { isRunning } from '../support/provision/file-lock.js'

const write = async (agent: ConsulAgent): Promise<string> =>
  (await agent.request('PUT', '/v1/kv/colour', { body: 'red' })).text.trim()
const statusOf = async (agent: ConsulAgent): Promise<number> => (await agent.request('GET', '/v1/kv/colour')).status

describe('the launcher of a real Consul', () => {
  it('starts an agent that has a leader and knows itself', async () => {
    await using agent = await startConsul({ node: 'forum' })
    expect(await agent.read<string>('/v1/status/leader')).not.toBe('')
    const self = await agent.read<{ Config: { NodeName: string; Version: string } }>('/v1/agent/self')
    expect(self.Config.NodeName).toBe('forum')
    expect(agent.version).toContain(self.Config.Version)
    expect(agent.url).toBe(`http://127.0.0.1:${agent.port}`)
  })

  it('forgets everything over a restart, on the same port', async () => {
    await using agent = await startConsul()
    const { address, pid } = agent
    expect(await write(agent)).toBe('true')
    await agent.restart()
    expect(await statusOf(agent)).toBe(404)
    expect(agent.address).toBe(address)
    expect(agent.pid).not.toBe(pid)
  })

  it('keeps its state over a restart when durable, and loses it when told to', async () => {
    await using agent = await startConsul({ durable: true })
    await write(agent)
    await agent.restart()
    expect(await statusOf(agent)).toBe(200)
    await agent.restart({ keepState: false })
    expect(await statusOf(agent)).toBe(404)
  })

  it('refuses to keep a state that is only in memory', async () => {
    await using agent = await startConsul()
    await expect(agent.restart({ keepState: true })).rejects.toThrow('durable: true')
    expect(agent.isRunning).toBe(true)
  })

  it('can be down for a while', async () => {
    await using agent = await startConsul()
    await agent.kill()
    await expect(agent.request('GET', '/v1/status/leader')).rejects.toThrow('ECONNREFUSED')
    await agent.start()
    expect(await agent.read<string>('/v1/status/leader')).not.toBe('')
  })

  it('can be paused, when connections are accepted and nothing answers, and resumed', async () => {
    await using agent = await startConsul()
    await agent.pause()
    await expect(agent.request('GET', '/v1/status/leader', { within: 200 })).rejects.toThrow('no answer within 200 ms')
    await agent.resume()
    expect(await agent.read<string>('/v1/status/leader')).not.toBe('')
  })

  it('ends a paused agent too, and closes twice as once', async () => {
    const agent = await startConsul()
    const pid = agent.pid ?? 0
    await agent.pause()
    await Promise.all([agent.close(), agent.close()])
    expect(isRunning(pid)).toBe(false)
    expect(await agent.logs()).toContain('Consul')
  })

  it('denies by default with acl, and makes and revokes tokens', async () => {
    await using agent = await startConsul({ acl: true })
    const token = await agent.acl.createToken('key_prefix "open/" { policy = "write" }')
    const put = async (key: string): Promise<number> =>
      (await agent.request('PUT', `/v1/kv/${key}`, { body: 'x', token: token.secret })).status
    expect(await put('open/door')).toBe(200)
    expect(await put('shut/door')).toBe(403)
    await agent.acl.deleteToken(token)
    await eventually(async () => expect(await put('open/door')).toBe(403))
  })

  it('speaks only TLS with tls, and only to those with a certificate', async () => {
    await using agent = await startConsul({ tls: true })
    expect(agent.url).toBe(`https://${agent.address}`)
    expect(await agent.read<string>('/v1/status/leader')).not.toBe('')
    await expect(askConsul({ url: agent.url }, 'GET', '/v1/status/leader')).rejects.toThrow()
    const plain = { url: agent.url.replace('https', 'http') }
    expect((await askConsul(plain, 'GET', '/v1/status/leader')).status).toBe(400)
  })

  it('listens on a unix socket when asked to', async () => {
    await using agent = await startConsul({ unixSocket: true })
    const { socketPath } = agent
    expect((await askConsul({ url: 'http://localhost', socketPath }, 'GET', '/v1/status/leader')).status).toBe(200)
    await agent.close()
    expect(existsSync(socketPath)).toBe(false)
  })

  it('hands limits and further configuration to the agent', async () => {
    await using agent = await startConsul({
      limits: { rpc_rate: 1, rpc_max_burst: 1 },
      hcl: 'node_meta { rank = "senator" }',
    })
    const self = await agent.read<{ Meta: Record<string, string> }>('/v1/agent/self')
    expect(self.Meta['rank']).toBe('senator')
    await eventually(async () => expect(await statusOf(agent)).toBe(429))
  })

  it('starts several agents at once without a clash of ports', async () => {
    const agents = await Promise.all([startConsul(), startConsul(), startConsul()])
    try {
      expect(new Set(agents.map((agent) => agent.port)).size).toBe(3)
    } finally {
      await Promise.all(agents.map((agent) => agent.close()))
    }
  })
})
