import { invalidOption } from '../../errors/invalid-option.js'
import { isProconsulError } from '../../errors/proconsul-error.js'
import { isLoopback } from '../identity/address.js'
import type { ResolvedCheck } from './resolve-check.js'
import type { ResolvedService } from './resolve-definition.js'

/** What a given agent cannot make use of. */

/** An agent that says which version it is. */
export interface VersionedAgent {
  self(): Promise<{ readonly version: string }>
}

/**
 * A check that points to loopback would make an agent on another host check itself.
 * @throws ProconsulError `PROCONSUL_INVALID_OPTION`
 */
export function refuseLoopbackChecks(checks: readonly ResolvedCheck[], isLocal: boolean): void {
  if (isLocal) return
  for (const check of checks) {
    const target = targetOf(check)
    if (target !== undefined && isLoopback(hostOf(target))) {
      const option = check.type === 'http' ? 'check.url' : 'check.address'
      throw invalidOption(option, target, 'an address that the agent, which is on another host, can reach')
    }
  }
}

/**
 * Older agents refuse the whole registration for a field that they do not know.
 * @throws ProconsulError `PROCONSUL_INVALID_OPTION`
 */
export async function refuseForeignFields(
  service: Pick<ResolvedService, 'id' | 'name' | 'ports'>,
  agent: VersionedAgent,
): Promise<void> {
  if (service.ports === undefined) return
  const version = await versionOf(agent)
  if (version !== undefined && isOlder(version, PORTS_SINCE)) {
    throw invalidOption('ports', service.ports, `one \`port\`: the agent is ${version}, and several need 1.22`)
  }
}

/** hashicorp/consul#22769 */
const PORTS_SINCE: readonly [number, number] = [1, 22]

/** The agent's version; undefined when it cannot be read, for the token may lack `agent:read`. Then the agent itself has to refuse. */
async function versionOf(agent: VersionedAgent): Promise<string | undefined> {
  try {
    return (await agent.self()).version
  } catch (error) {
    if (isProconsulError(error)) return undefined
    throw error
  }
}

function isOlder(version: string, [major, minor]: readonly [number, number]): boolean {
  const [, ownMajor, ownMinor] = /^v?(\d+)\.(\d+)/.exec(version) ?? []
  if (ownMajor === undefined || ownMinor === undefined) return false
  return Number(ownMajor) < major || (Number(ownMajor) === major && Number(ownMinor) < minor)
}

function targetOf(check: ResolvedCheck): string | undefined {
  if (check.type === 'http') return check.url
  return check.type === 'tcp' || check.type === 'grpc' ? check.address : undefined
}

function hostOf(target: string): string {
  if (/^https?:/i.test(target)) return new URL(target).hostname
  return target.replace(/:\d+(?:\/.*)?$/s, '')
}
