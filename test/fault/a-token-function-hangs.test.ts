import { expect, it } from 'vitest'
import { recordingLogger } from '../support/recording-logger.js'
import { eventually } from '../support/eventually.js'
import { client, consulAgent } from '../support/opened.js'

const RULES =
  'service_prefix "" { policy = "write" } node_prefix "" { policy = "read" } agent_prefix "" { policy = "read" } key_prefix "" { policy = "write" }'

it('a token function that hangs once stops neither calls nor heartbeats, and nothing is left after close', async () => {
  const agent = await consulAgent({ acl: true })
  const token = await agent.acl.createToken(RULES)
  let asked = 0
  let hangsFrom = Infinity
  const logger = recordingLogger()
  const consul = client(agent.address, {
    logger,
    token: () => {
      asked += 1
      return asked >= hangsFrom ? new Promise<string>(() => undefined) : Promise.resolve(token.secret)
    },
  })
  const registration = await consul.registerService({ name: 'held', port: 1, check: { type: 'ttl', ttl: '3s' } })
  hangsFrom = asked + 1
  await eventually(() => expect(asked).toBeGreaterThanOrEqual(hangsFrom), { within: 10_000 })
  const hungSince = asked
  // From here on it hangs each time: longer than the TTL, and until it is asked anew.
  await eventually(
    async () => {
      expect(await consul.kv.set('a', '1')).toBe(true)
      expect(asked).toBeGreaterThan(hungSince)
    },
    { within: 15_000 },
  )
  const unusable = logger.entries.filter(({ fields }) => fields['event'] === 'credentials-unusable')
  expect(unusable.map(({ fields }) => fields['credential'])).toEqual(['token'])
  const catalog = (): Promise<unknown[]> => agent.read('/v1/catalog/service/held')
  expect(registration.health.status).toBe('passing')
  expect(await catalog()).toHaveLength(1)
  const { leftBehind } = await consul.close()
  expect(leftBehind).toEqual([])
  expect(await catalog()).toEqual([])
})
