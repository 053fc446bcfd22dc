import dns from 'node:dns'
import { createServer, type AddressInfo, type Server } from 'node:net'
import { once } from 'node:events'
import { promisify } from 'node:util'
import { afterEach, describe, expect, it, vi } from 'vitest'
import { isLocalAgent, ownAddress, type InterfaceLookup } from '../../../../src/registration/identity/own-address.js'
import { eventually } from '../../../support/eventually.js'
import { FakeClock } from '../../../support/fake-clock.js'

const REMOTE = { baseUrl: 'http://10.1.2.3:8500' }
const at =
  (address: string): InterfaceLookup =>
  () =>
    Promise.resolve(address)
const never: InterfaceLookup = () => new Promise(() => undefined)

describe('ownAddress', () => {
  it('takes SERVICE_ADDRESS, then POD_IP, whatever the agent', async () => {
    const variables = { SERVICE_ADDRESS: '10.0.0.9', POD_IP: '10.0.0.8' }
    expect(await ownAddress(REMOTE, variables, { lookup: at('10.0.0.7') })).toBe('10.0.0.9')
    const second = { SERVICE_ADDRESS: '', POD_IP: '[fd00::8]' }
    expect(await ownAddress(REMOTE, second, { lookup: at('10.0.0.7') })).toBe('fd00::8')
  })

  it.each([
    { baseUrl: 'http://127.0.0.1:8500' },
    { baseUrl: 'http://[::1]' },
    { baseUrl: 'http://0.0.0.0:8500' },
    { baseUrl: 'http://x', socketPath: '/s' },
  ])('leaves the address to the node for an agent on this host: %j', async (endpoint) => {
    expect(isLocalAgent(endpoint)).toBe(true)
    expect(await ownAddress(endpoint, {}, { lookup: never })).toBeUndefined()
  })

  it.each([
    ['https://[fd00::1]', 'fd00::1', 443],
    ['http://agent', 'agent', 80],
    ['https://agent:8501', 'agent', 8501],
  ])('takes the interface that reaches an agent elsewhere, at %s', async (baseUrl, host, port) => {
    const asked: unknown[] = []
    const lookup: InterfaceLookup = (...place) => Promise.resolve((asked.push(place.slice(0, 2)), '10.1.0.5'))
    expect(await ownAddress({ baseUrl }, {}, { lookup })).toBe('10.1.0.5')
    expect(asked).toEqual([[host, port]])
  })

  it.each(['127.0.0.1', '::1', 'fe80::1%eth0'])('refuses %s rather than registering it elsewhere', async (address) => {
    await expect(ownAddress(REMOTE, {}, { lookup: at(address) })).rejects.toMatchObject({
      code: 'PROCONSUL_INVALID_OPTION',
      message: expect.stringContaining('address is ') as string,
    })
  })

  it('says of a way that is not there yet that it may come, and why', async () => {
    const notFound = Object.assign(new Error('getaddrinfo ENOTFOUND agent'), { code: 'ENOTFOUND' })
    await expect(ownAddress(REMOTE, {}, { lookup: () => Promise.reject(notFound) })).rejects.toMatchObject({
      code: 'PROCONSUL_UNAVAILABLE',
      retryable: true,
      message: expect.stringMatching(/the address of this host.*10\.1\.2\.3:8500.*ENOTFOUND/) as string,
    })
  })

  it('ends at once with its signal, however long a resolver hangs', async () => {
    const controller = new AbortController()
    const looking = ownAddress(REMOTE, {}, { lookup: never, signal: controller.signal, clock: new FakeClock() })
    controller.abort()
    await expect(looking).rejects.toMatchObject({ code: 'PROCONSUL_ABORTED' })
    await expect(ownAddress(REMOTE, {}, { signal: controller.signal, lookup: never })).rejects.toMatchObject({
      code: 'PROCONSUL_ABORTED',
    })
  })

  it('gives a resolver that hangs up after five seconds, so that the next try asks again', async () => {
    const clock = new FakeClock()
    let signal: AbortSignal | undefined
    const lookup: InterfaceLookup = (_host, _port, given) => {
      signal = given
      return never('', 0, given)
    }
    const looking = ownAddress(REMOTE, {}, { lookup, clock })
    const refused = expect(looking).rejects.toMatchObject({
      code: 'PROCONSUL_TIMEOUT',
      retryable: true,
      message: expect.stringContaining('no way to 10.1.2.3:8500 within 5s') as string,
    })
    await clock.advance(4_999)
    expect(signal?.aborted).toBe(false)
    await clock.advance(1)
    await refused
    expect([signal?.aborted, clock.pendingTimers]).toEqual([true, 0])
  })

  it.each(['0.0.0.0', '${NOMAD_IP_http}', 'undefined'])(
    'refuses an environment variable that is %s',
    async (POD_IP) => {
      await expect(ownAddress(REMOTE, { POD_IP }, { lookup: never })).rejects.toMatchObject({
        code: 'PROCONSUL_INVALID_OPTION',
        message: expect.stringMatching(/^POD_IP is /) as string,
      })
    },
  )
})

describe('the way to an agent elsewhere', () => {
  const servers: Server[] = []
  afterEach(() => {
    for (const server of servers.splice(0)) server.close()
  })

  async function listening(host: string): Promise<number> {
    const server = createServer((socket) => socket.resume()).listen(0, host)
    servers.push(server)
    await once(server, 'listening')
    return (server.address() as AddressInfo).port
  }

  /** The resolver answers with these for every name, or does not answer. */
  function resolving(...addresses: readonly string[]): void {
    const answer = addresses.map((address) => ({ address, family: address.includes(':') ? 6 : 4 }))
    vi.spyOn(dns, 'lookup').mockImplementation(((
      _name: string,
      _options: unknown,
      done: (error: Error | null, found: unknown) => void,
    ) => {
      if (answer.length > 0) process.nextTick(done, null, answer)
    }) as never)
  }

  it.each([
    ['of either family', '127.0.0.1', ['127.0.0.1']],
    ['with an IPv6 address alone', '::1', ['::1']],
    ['in the family in which the agent can be reached', '127.0.0.1', ['::1', '127.0.0.1']],
  ])('is a connection to a name %s', async (_which, host, addresses) => {
    const port = await listening(host)
    resolving(...addresses)
    // All that a test can reach is this host, and its loopback address is found and refused.
    await expect(ownAddress({ baseUrl: `http://agent.test:${port}` }, {})).rejects.toMatchObject({
      code: 'PROCONSUL_INVALID_OPTION',
      message: expect.stringContaining(`address is "${host}"`) as string,
    })
    expect(await openConnections()).toBe(0)
  })

  it('is a failure that may pass while nobody listens there', async () => {
    const port = await listening('127.0.0.1')
    for (const server of servers.splice(0)) server.close()
    resolving('127.0.0.1')
    await expect(ownAddress({ baseUrl: `http://agent.test:${port}` }, {})).rejects.toMatchObject({
      code: 'PROCONSUL_UNAVAILABLE',
      retryable: true,
      message: expect.stringContaining('ECONNREFUSED') as string,
    })
  })

  it('is given up with the signal while the resolver hangs', async () => {
    resolving()
    const signal = AbortSignal.timeout(20)
    await expect(ownAddress({ baseUrl: 'http://agent.test:8500' }, {}, { signal })).rejects.toMatchObject({
      code: 'PROCONSUL_ABORTED',
    })
  })

  async function openConnections(): Promise<number> {
    return await eventually(async () => {
      const counts = await Promise.all(servers.map((server) => promisify(server.getConnections.bind(server))()))
      const count = counts.reduce((sum, each) => sum + each, 0)
      if (count > 0) throw new Error(`${count} connections`)
      return count
    })
  }
})
