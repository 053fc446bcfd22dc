import type { ConsulSource } from './consul-binary.js'
import { compareVersions } from './consul-binary.js'
import type { ConsulTls } from './consul-tls.js'
import type { PortBlock } from './process/ports.js'

/** What kind of agent to start. Everything is optional. */
export interface ConsulOptions {
  /** Where the program comes from. Default: what `findConsul` finds. */
  readonly source?: ConsulSource
  /** Keeps its state on disk, so that `restart({ keepState: true })` works; takes a second longer to start. Default false. */
  readonly durable?: boolean
  /** The node's name. Default `node-<port>`. */
  readonly node?: string
  /** Address to listen on, of 127.0.0.0/8. Default 127.0.0.1. */
  readonly bind?: string
  /** Denies by default, with a management token: see `ConsulAgent.acl`. Default false. */
  readonly acl?: boolean
  /** Serves HTTPS only and asks for a client certificate: see `ConsulAgent.tls`. Default false. */
  readonly tls?: boolean
  /** Listens on a unix socket too: see `ConsulAgent.socketPath`. Default false. */
  readonly unixSocket?: boolean
  /** Consul's own `limits`, such as `{ http_max_conns_per_client: 5 }`. */
  readonly limits?: Readonly<Record<string, number>>
  /** Any further configuration, in Consul's own language. */
  readonly hcl?: string
  /** Any further command-line flags. */
  readonly flags?: readonly string[]
}

/** What is settled before the command line can be written. */
export interface AgentSetting {
  readonly version: string
  readonly ports: PortBlock
  readonly node: string
  readonly bind: string
  readonly clientAddress: string
  readonly dataFolder: string
  readonly managementToken: string | undefined
  readonly tls: ConsulTls | undefined
  readonly socketPath: string | undefined
  /** `dev` forgets all at its end, `server` stands alone on disk, `member` gets the flags of its cluster from the options. */
  readonly role: 'dev' | 'server' | 'member'
}

/** The command line of `consul` for these options. */
export function agentArguments(options: ConsulOptions, setting: AgentSetting): string[] {
  const { ports, version } = setting
  const roles = {
    dev: ['-dev'],
    server: ['-server', '-bootstrap-expect=1', `-data-dir=${setting.dataFolder}`],
    member: [`-data-dir=${setting.dataFolder}`],
  }
  return [
    'agent',
    ...roles[setting.role],
    `-node=${setting.node}`,
    `-bind=${setting.bind}`,
    `-client=${setting.clientAddress}`,
    `-http-port=${setting.tls ? -1 : ports.http}`,
    '-dns-port=-1',
    '-grpc-port=-1',
    // The flag came with a second gRPC port, in 1.14.
    ...(compareVersions(version, '1.14.0') >= 0 ? ['-grpc-tls-port=-1'] : []),
    `-serf-lan-port=${ports.serfLan}`,
    `-serf-wan-port=${ports.serfWan}`,
    `-server-port=${ports.server}`,
    ...configuration(options, setting).flatMap((text) => ['-hcl', text]),
    ...(options.flags ?? []),
  ]
}

function configuration(options: ConsulOptions, setting: AgentSetting): string[] {
  const texts = ['disable_update_check = true']
  // The election timers of a machine room would cost each test seconds. A dev agent has short ones already.
  if (setting.role !== 'dev') texts.push('performance { raft_multiplier = 1 }', 'leave_on_terminate = false')
  if (options.limits) {
    const lines = Object.entries(options.limits).map(([name, value]) => `${name} = ${value}`)
    texts.push(`limits {\n${lines.join('\n')}\n}`)
  }
  if (setting.socketPath !== undefined) {
    texts.push(`addresses { http = "${setting.clientAddress} unix://${setting.socketPath}" }`)
  }
  if (setting.managementToken !== undefined) texts.push(aclConfiguration(setting.version, setting.managementToken))
  if (setting.tls) texts.push(tlsConfiguration(setting.version, setting.tls, setting.ports.http))
  if (options.hcl !== undefined) texts.push(options.hcl)
  return texts
}

function aclConfiguration(version: string, token: string): string {
  const management = compareVersions(version, '1.11.0') >= 0 ? 'initial_management' : 'master'
  // A short token_ttl, so that a revoked token is refused within the patience of a test.
  return `acl {
    enabled = true
    default_policy = "deny"
    token_ttl = "1s"
    policy_ttl = "1s"
    role_ttl = "1s"
    tokens {
      ${management} = "${token}"
      agent = "${token}"
    }
  }`
}

function tlsConfiguration(version: string, tls: ConsulTls, port: number): string {
  const files = `ca_file = "${tls.caFile}"\ncert_file = "${tls.serverCertFile}"\nkey_file = "${tls.serverKeyFile}"`
  const settings =
    compareVersions(version, '1.12.0') >= 0
      ? `tls {\ndefaults {\n${files}\n}\nhttps {\nverify_incoming = true\n}\n}`
      : `${files}\nverify_incoming_https = true`
  return `ports { https = ${port} }\n${settings}`
}
