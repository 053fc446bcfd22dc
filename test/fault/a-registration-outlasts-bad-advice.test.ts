import { describe, expect, it } from 'vitest'
import { eventually } from '../support/eventually.js'
import { client, consulAgent } from '../support/opened.js'
import { relay } from '../support/relay.js'

/** One answer that asks to wait for long, to the next request to a path. */
async function advised(header: () => string) {
  const agent = await consulAgent()
  let advises: string | undefined
  const address = await relay(({ url = '' }) => {
    if (advises === undefined || !url.startsWith(advises)) return agent.url
    advises = undefined
    return { status: 503, body: 'come back later', headers: { 'retry-after': header() } }
  })
  return {
    agent,
    consul: client(address),
    advise: (path: string) => void (advises = path),
    isOver: () => advises === undefined,
  }
}

describe.each([
  ['an hour', () => '3600'],
  ['a date by a clock that is off', () => new Date(Date.now() + 3_600_000).toUTCString()],
  ['longer than a timer can', () => '9999999999'],
])('one answer that asks to wait for %s', (_how, header) => {
  it('does not keep a lost service away', async () => {
    const { agent, consul, advise, isOver } = await advised(header)
    const registration = await consul.registerService({ name: 'back', check: { ttl: '2s' } })
    advise('/v1/agent/service/register')
    await agent.request('PUT', `/v1/agent/service/deregister/${registration.id}`)
    await eventually(() => expect([isOver(), registration.state]).toEqual([true, 'registered']), { within: 20_000 })
    expect(await agent.read<unknown[]>('/v1/health/service/back?passing')).toHaveLength(1)
  })

  it('does not keep a service that is registered in the background from ever being there', async () => {
    const { consul, advise, isOver } = await advised(header)
    advise('/v1/agent/service/register')
    const registration = await consul.registerService({ name: 'behind' }, { background: true })
    await eventually(() => expect([isOver(), registration.state]).toEqual([true, 'registered']), { within: 20_000 })
  })

  it('does not leave a ghost that passes', async () => {
    const { agent, consul, advise, isOver } = await advised(header)
    const registration = await consul.registerService({ name: 'gone', check: { ttl: '60s' } })
    advise('/v1/agent/service/deregister')
    await registration.deregister({ timeout: '5s' })
    expect([isOver(), await agent.read<object>('/v1/agent/services')]).toEqual([true, {}])
  })
})
