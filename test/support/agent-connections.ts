import { readFileSync } from 'node:fs'

/** Rows of the system's table of connections: our ends, and the agent's, which it keeps until it has noticed that ours is gone. */
export interface AgentConnections {
  /** Established by this machine to the agent. */
  readonly established: number
  /** Held by the agent: what its limit of connections counts. */
  readonly held: number
}

const ESTABLISHED = '01'
const CLOSE_WAIT = '08'

/** Connections to an agent on this machine, as Linux knows them. Throws on other systems. */
export function agentConnections(port: number): AgentConnections {
  const suffix = `:${port.toString(16).toUpperCase().padStart(4, '0')}`
  let [established, held] = [0, 0]
  for (const row of readFileSync('/proc/net/tcp', 'utf8').split('\n').slice(1)) {
    const [, local = '', remote = '', state = ''] = row.trim().split(/\s+/)
    if (remote.endsWith(suffix) && state === ESTABLISHED) established += 1
    if (local.endsWith(suffix) && (state === ESTABLISHED || state === CLOSE_WAIT)) held += 1
  }
  return { established, held }
}
