import { expect, it } from 'vitest'
import { Proconsul } from '../../src/proconsul.js'
import { startConsul } from '../support/consul-agent.js'
import { eventually } from '../support/eventually.js'

it('is told by the agent that the service is unknown, and has it registered again', async () => {
  await using agent = await startConsul()
  await using consul = new Proconsul({ address: agent.url })
  const registration = await consul.registerService({
    name: 'threaded',
    check: { ttl: '2s' },
    heartbeat: { thread: 'worker' },
  })
  await agent.restart()
  await eventually(async () => {
    const entries = await agent.read<unknown[]>('/v1/health/service/threaded?passing')
    expect(entries).toHaveLength(1)
  })
  expect(registration.state).toBe('registered')
})

it('beats over TLS with a client certificate', async () => {
  await using agent = await startConsul({ tls: true })
  const { caFile, certFile, keyFile } = agent.tls
  await using consul = new Proconsul({ address: agent.url, tls: { caFile, certFile, keyFile } })
  const registration = await consul.registerService({
    name: 'secured',
    check: { ttl: '1s' },
    heartbeat: { thread: 'worker' },
  })
  let beats = 0
  registration.on('heartbeat', () => (beats += 1))
  await eventually(() => expect(beats).toBeGreaterThan(4))
})

it('gets the successor of a revoked token', async () => {
  await using agent = await startConsul({ acl: true })
  const rules = 'service_prefix "" { policy = "write" } node_prefix "" { policy = "read" }'
  const [first, second] = [await agent.acl.createToken(rules), await agent.acl.createToken(rules)]
  let token = first.secret
  await using consul = new Proconsul({ address: agent.url, token: () => token })
  const registration = await consul.registerService({
    name: 'tokened',
    check: { ttl: '2s' },
    heartbeat: { thread: 'worker' },
  })
  await agent.acl.deleteToken(first)
  token = second.secret
  const failed = new Promise((resolve) => registration.once('heartbeatFailed', resolve))
  expect(await failed).toMatchObject({ code: 'PROCONSUL_PERMISSION_DENIED' })
  let beats = 0
  registration.on('heartbeat', () => (beats += 1))
  await eventually(() => expect(beats).toBeGreaterThan(2), { within: 15_000 })
})
