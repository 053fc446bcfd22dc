import { expect, it } from 'vitest'
import { startConsulCluster } from '../support/consul-cluster.js'
import { eventually } from '../support/eventually.js'

it('starts three servers and a client, which survive the loss of their leader', { timeout: 90_000 }, async () => {
  await using cluster = await startConsulCluster()
  const peers = await cluster.client.read<string[]>('/v1/status/peers')
  expect(peers).toHaveLength(3)

  const lost = await cluster.killLeader()
  const next = await cluster.leader()
  expect(next).not.toBe(lost)
  await eventually(
    async () =>
      expect((await cluster.client.request('PUT', '/v1/kv/colour', { body: 'red' })).text.trim()).toBe('true'),
    { within: 20_000 },
  )

  await lost.start()
  expect(await lost.read<unknown[]>('/v1/kv/colour')).toHaveLength(1)
})

it(
  'answers without a leader once the quorum is lost, and with one when a server is back',
  { timeout: 90_000 },
  async () => {
    await using cluster = await startConsulCluster({ client: false })
    const [first] = await cluster.loseQuorum()
    const left = cluster.servers.find((server) => server.isRunning)
    await eventually(
      async () => expect((await left?.request('GET', '/v1/kv/colour', { within: 20_000 }))?.status).toBe(500),
      {
        within: 20_000,
      },
    )
    await first?.start()
    await cluster.leader()
  },
)
