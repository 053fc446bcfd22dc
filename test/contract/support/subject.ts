/** Who is held to the contract: the embedded agent in both its versions, and the real Consul that the launcher finds. */
import { startEmbeddedConsul } from '../../../src/testing/index.js'
import { startConsul } from '../../support/consul-agent.js'
import { findConsulIfAny } from '../../support/consul-binary.js'

/** How an agent is to be started. */
export interface SubjectOptions {
  /** Deny by default. */
  readonly acl?: boolean
  readonly connectionsPerClient?: number
}

/** A running agent, real or embedded. */
export interface RunningSubject {
  readonly url: string
  readonly node: string
  /** The secret of the management token; undefined without ACLs. */
  readonly managementToken: string | undefined
  /** Kills it and starts it again with nothing left. */
  restart(): Promise<void>
  close(): Promise<void>
}

/** Someone held to the contract. */
export interface Subject {
  readonly name: string
  /** The release whose documented behaviour it has. */
  readonly version: string
  start(options: SubjectOptions): Promise<RunningSubject>
}

const real = await findConsulIfAny()

/** Everyone held to the contract. */
export const SUBJECTS: readonly Subject[] = [
  embedded('1.8', '1.8.7'),
  embedded('1.22', '1.22.0'),
  ...(real === undefined ? [] : [{ name: `real Consul ${real.version}`, version: real.version, start: startReal }]),
]

/** Whether the contract can be held against a real Consul here. */
export const HAS_REAL_CONSUL = real !== undefined

function embedded(version: '1.8' | '1.22', release: string): Subject {
  return {
    name: `embedded ${version}`,
    version: release,
    start: async ({ acl, connectionsPerClient }) => {
      const agent = await startEmbeddedConsul({
        version,
        ...(acl === true && { acl: {} }),
        ...(connectionsPerClient !== undefined && { limits: { connectionsPerClient } }),
      })
      return {
        url: agent.url,
        node: agent.node,
        managementToken: acl === true ? agent.acl.managementToken : undefined,
        restart: () => agent.restart(),
        close: () => agent.close(),
      }
    },
  }
}

async function startReal({ acl, connectionsPerClient }: SubjectOptions): Promise<RunningSubject> {
  const agent = await startConsul({
    ...(acl !== undefined && { acl }),
    ...(connectionsPerClient !== undefined && { limits: { http_max_conns_per_client: connectionsPerClient } }),
  })
  return {
    url: agent.url,
    node: agent.node,
    managementToken: acl === true ? agent.acl.managementToken : undefined,
    restart: () => agent.restart({ keepState: false }),
    close: () => agent.close(),
  }
}
