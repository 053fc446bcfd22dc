import { connect } from 'node:net'
import { withDeadline } from '../../core/abort.js'
import { outOfContext } from '../../core/async-context.js'
import { systemClock, type Clock } from '../../core/clock.js'
import { formatDuration } from '../../core/duration.js'
import { invalidOption } from '../../errors/invalid-option.js'
import { networkFailure } from '../../errors/network-failure.js'
import { ProconsulError } from '../../errors/proconsul-error.js'
import { checkAddress, isLoopback, withoutBrackets } from './address.js'

/** Where the agent is, as the client reaches it. */
export interface AgentEndpoint {
  /** Such as `http://127.0.0.1:8500`. */
  readonly baseUrl: string
  readonly socketPath?: string | undefined
}

/** Variables that hold the address of the service, the first that is set counts: one of ours, and the usual one for Kubernetes. */
export const ADDRESS_VARIABLES = Object.freeze(['SERVICE_ADDRESS', 'POD_IP'] as const)

/** Finds the address from which this host reaches another. Rejects when there is no way to it now, or when the signal is aborted. */
export type InterfaceLookup = (host: string, port: number, signal: AbortSignal) => Promise<string>

/** How to look for the own address. */
export interface OwnAddressOptions {
  /** Ends the wait. */
  readonly signal?: AbortSignal | undefined
  readonly clock?: Clock | undefined
  readonly lookup?: InterfaceLookup | undefined
}

/** A resolver that hangs is given up after this, so that the next try asks again. */
const LOOKUP_MS = 5_000

/**
 * The address to register when the definition has none; undefined where the node's own is right, because the agent is on this host.
 * Looks once: after a failure that is `retryable` the same call may succeed, as when the agent's name cannot be resolved yet.
 * @throws ProconsulError `PROCONSUL_INVALID_OPTION` when a variable holds no address, or the agent is elsewhere and this host reaches it
 *   from an address that others cannot call; `PROCONSUL_UNAVAILABLE` or `PROCONSUL_TIMEOUT`, both retryable, when there is no way to the
 *   agent now; `PROCONSUL_ABORTED`
 */
export async function ownAddress(
  endpoint: AgentEndpoint,
  variables: NodeJS.ProcessEnv,
  { signal, clock = systemClock, lookup = interfaceTowards }: OwnAddressOptions = {},
): Promise<string | undefined> {
  for (const name of ADDRESS_VARIABLES) {
    const value = variables[name]
    if (value !== undefined && value !== '') return checkAddress(name, value)
  }
  if (isLocalAgent(endpoint)) return undefined
  const url = new URL(endpoint.baseUrl)
  const port = Number(url.port) || (url.protocol === 'https:' ? 443 : 80)
  const onTimeout = (): ProconsulError =>
    new ProconsulError('PROCONSUL_TIMEOUT', `${OPERATION}: no way to ${url.host} within ${formatDuration(LOOKUP_MS)}`)
  const address = await withDeadline({ clock, timeoutMs: LOOKUP_MS, signal, onTimeout }, (deadline) =>
    lookup(withoutBrackets(url.hostname), port, deadline).catch((error: unknown) => {
      throw networkFailure(OPERATION, url.host, error)
    }),
  )
  if (isLoopback(address)) {
    const expected = `an address that others can reach, or ${ADDRESS_VARIABLES.join(' or ')} in the environment; the agent is at ${url.host}`
    throw invalidOption('address', address, expected)
  }
  return checkAddress('address', address)
}

const OPERATION = 'the address of this host, on the way to the agent'

/** Whether the agent is reached through loopback or a unix socket, so that it shares this host with the service. */
export function isLocalAgent({ baseUrl, socketPath }: AgentEndpoint): boolean {
  return socketPath !== undefined || isLoopback(new URL(baseUrl).hostname)
}

/** Connects, as a request to the agent does: so it finds the address family in which the agent can be reached. */
function interfaceTowards(host: string, port: number, signal: AbortSignal): Promise<string> {
  return new Promise((resolve, reject) => {
    const socket = outOfContext(() => connect({ host, port, autoSelectFamily: true, signal }))
    socket.once('error', reject)
    socket.once('connect', () => {
      const { localAddress = '' } = socket
      socket.destroy()
      resolve(localAddress)
    })
  })
}
