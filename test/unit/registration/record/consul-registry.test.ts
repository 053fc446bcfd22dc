import { describe, expect, it } from 'vitest'
import { resolveDefinition } from '../../../../src/registration/definition/resolve-definition.js'
import { formatBoot } from '../../../../src/registration/identity/boot.js'
import { ConsulRegistry } from '../../../../src/registration/record/consul-registry.js'
import { WatchEngine } from '../../../../src/watch/watch-engine.js'
import { resolveOptions } from '../../../../src/options/client-options.js'
import { OWN, playedParts } from '../played-agent.js'

function registryIn(environment: NodeJS.ProcessEnv, address = 'http://127.0.0.1:8500') {
  const { played, runtime } = playedParts()
  const { connection, watch } = resolveOptions({ address }, {})
  const plainReads = { enter: () => Promise.resolve(), leave: () => undefined }
  const engine = new WatchEngine(runtime, { blockingPlaces: 1, plainReads }, watch)
  const onTokenChange = () => () => undefined
  return new ConsulRegistry({ runtime, http: played, engine, endpoint: connection, environment, onTokenChange })
}

const resolve = (address?: string) =>
  resolveDefinition({ name: 'web', address }, { hostname: 'here', boot: formatBoot(OWN) })

describe('an agent as a registry, for a service without an address of its own', () => {
  it.each(['SERVICE_ADDRESS', 'POD_IP'])('refuses at once what %s holds where it is no address', (name) => {
    const registry = registryIn({ [name]: '0.0.0.0' })
    expect(() => registry.open(resolve(), OWN)).toThrow(expect.objectContaining({ code: 'PROCONSUL_INVALID_OPTION' }))
    expect(() => registry.open(resolve(), OWN)).toThrow(name)
    expect(registry.open(resolve('10.0.0.7'), OWN).mayBeThere).toBe(false)
  })

  it('takes the address of the environment, and none for an agent of this host', async () => {
    const { signal } = new AbortController()
    const complete = async (environment: NodeJS.ProcessEnv) =>
      (await registryIn(environment).complete({ name: 'web' }, signal, () => undefined)).address
    expect(await complete({ POD_IP: '10.0.0.8' })).toBe('10.0.0.8')
    expect(await complete({})).toBeUndefined()
  })

  it('refuses checks of loopback for an agent elsewhere', () => {
    const { checks } = resolveDefinition(
      { name: 'web', check: { type: 'http', url: 'http://127.0.0.1/' } },
      { hostname: 'here', boot: 'b' },
    ).service
    expect(() => registryIn({}, 'http://10.0.0.1:8500').acceptChecks(checks)).toThrow(/check.url/)
    registryIn({}).acceptChecks(checks)
  })
})
