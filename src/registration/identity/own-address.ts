import { createSocket } from 'node:dgram'
import { once } from 'node:events'
import { isIPv6 } from 'node:net'
import { invalidOption } from '../../errors/invalid-option.js'
import { checkAddress } from '../definition/limits.js'

/** Where the agent is, as the client reaches it. */
export interface AgentEndpoint {
  /** Such as `http://127.0.0.1:8500`. */
  readonly baseUrl: string
  readonly socketPath?: string | undefined
}

/** Variables that hold the address of the service, the first that is set counts: one of ours, and the usual one for Kubernetes. */
export const ADDRESS_VARIABLES = Object.freeze(['SERVICE_ADDRESS', 'POD_IP'] as const)

/** Finds the address of the interface from which a host is reached. Sends nothing. */
export type InterfaceLookup = (host: string, port: number) => Promise<string>

/**
 * The address to register when the definition has none; undefined where the node's own is right, because the agent is on this host.
 * @throws ProconsulError `PROCONSUL_INVALID_OPTION` when the agent is elsewhere and only loopback was found
 */
export async function ownAddress(
  endpoint: AgentEndpoint,
  variables: NodeJS.ProcessEnv,
  lookup: InterfaceLookup = interfaceTowards,
): Promise<string | undefined> {
  for (const name of ADDRESS_VARIABLES) {
    const value = variables[name]
    if (value !== undefined && value !== '') return checkAddress(name, value)
  }
  if (isLocalAgent(endpoint)) return undefined
  const url = new URL(endpoint.baseUrl)
  const address = await lookup(hostOf(url), Number(url.port) || (url.protocol === 'https:' ? 443 : 80)).catch(() => '')
  if (address === '' || isLoopback(address)) {
    const expected = `an address that others can reach, or ${ADDRESS_VARIABLES.join(' or ')} in the environment; the agent is at ${url.host}`
    throw invalidOption('address', address === '' ? undefined : address, expected)
  }
  return address
}

/** Whether the agent is reached through loopback or a unix socket, so that it shares this host with the service. */
export function isLocalAgent({ baseUrl, socketPath }: AgentEndpoint): boolean {
  return socketPath !== undefined || isLoopback(hostOf(new URL(baseUrl)))
}

/** Whether a host name or address means the host itself. */
export function isLoopback(host: string): boolean {
  const bare = host.replace(/^\[|\]$/g, '').toLowerCase()
  return bare === 'localhost' || bare === '::1' || /^(?:::ffff:)?127\./.test(bare)
}

function hostOf(url: URL): string {
  return url.hostname.replace(/^\[|\]$/g, '')
}

/** A connected datagram socket knows its own address without having sent anything. */
async function interfaceTowards(host: string, port: number): Promise<string> {
  const socket = createSocket(isIPv6(host) ? 'udp6' : 'udp4')
  try {
    socket.connect(port, host)
    await once(socket, 'connect')
    return socket.address().address
  } finally {
    socket.close()
  }
}
