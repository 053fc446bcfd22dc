import { describe, expect, it } from 'vitest'
import { isLocalAgent, ownAddress } from '../../../../src/registration/identity/own-address.js'

const REMOTE = { baseUrl: 'http://10.1.2.3:8500' }
const lookup = (address: string) => () => Promise.resolve(address)

describe('ownAddress', () => {
  it('takes SERVICE_ADDRESS, then POD_IP, whatever the agent', async () => {
    const variables = { SERVICE_ADDRESS: '10.0.0.9', POD_IP: '10.0.0.8' }
    expect(await ownAddress(REMOTE, variables, lookup('10.0.0.7'))).toBe('10.0.0.9')
    expect(await ownAddress(REMOTE, { SERVICE_ADDRESS: '', POD_IP: '10.0.0.8' }, lookup('x'))).toBe('10.0.0.8')
  })

  it.each([
    { baseUrl: 'http://127.0.0.1:8500' },
    { baseUrl: 'http://[::1]' },
    { baseUrl: 'http://x', socketPath: '/s' },
  ])('leaves the address to the node for an agent on this host: %j', async (endpoint) => {
    expect(isLocalAgent(endpoint)).toBe(true)
    expect(await ownAddress(endpoint, {}, lookup('never'))).toBeUndefined()
  })

  it('takes the interface that reaches an agent elsewhere', async () => {
    const asked: unknown[] = []
    const remember = (host: string, port: number) => Promise.resolve((asked.push([host, port]), '10.1.0.5'))
    expect(await ownAddress({ baseUrl: 'https://[fd00::1]' }, {}, remember)).toBe('10.1.0.5')
    expect(asked).toEqual([['fd00::1', 443]])
  })

  it('refuses loopback rather than registering it with an agent elsewhere', async () => {
    const refusal = { code: 'PROCONSUL_INVALID_OPTION', message: expect.stringContaining('SERVICE_ADDRESS') as string }
    await expect(ownAddress(REMOTE, {}, lookup('127.0.0.1'))).rejects.toMatchObject(refusal)
    await expect(ownAddress(REMOTE, {}, () => Promise.reject(new Error('ENOTFOUND')))).rejects.toMatchObject(refusal)
  })

  it('refuses an environment variable that is no address', async () => {
    await expect(ownAddress(REMOTE, { POD_IP: '0.0.0.0' })).rejects.toMatchObject({
      message: expect.stringContaining('POD_IP') as string,
    })
  })
})
