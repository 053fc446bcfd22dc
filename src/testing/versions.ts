/**
 * Every documented difference between the versions of Consul that the embedded agent can play, in one table. Nothing else in this folder
 * asks for a version.
 */

/** A version that the embedded agent can play. */
export type ConsulVersion = '1.8' | '1.22'

/** How one version behaves. */
export interface VersionProfile {
  /** What `/v1/agent/self` says. */
  readonly release: string
  /** Development agents printed JSON over several lines up to 1.16. */
  readonly prettyJson: boolean
  /** `X-Consul-Default-ACL-Policy` on every answer (1.9 and later). */
  readonly defaultPolicyHeader: boolean
  /** `X-Consul-Query-Backend` on blocking endpoints (1.10 and later). */
  readonly queryBackendHeader: boolean
  /** `X-Consul-Results-Filtered-By-ACLs` when a list was shortened for a token (1.11 and later). */
  readonly filteredHeader: boolean
  /** Calls for an unknown service or check id answer 404 rather than 200 or 500 (1.11 and later). */
  readonly unknownIdIs404: boolean
  /** A connection over the limit gets 429 before it is closed (1.9 and later), rather than being closed without a word. */
  readonly connectionLimitAnswers: boolean
  /** Keys with path traversal or spaces at the ends are refused (1.21.6 and later). */
  readonly validatesKeys: boolean
  /** The size of a value is limited even when the body comes in chunks (1.21.6 and later). */
  readonly limitsChunkedValues: boolean
  /** The most operations in one transaction (128 since 1.14). */
  readonly txnMaxOperations: number
  /** A blocking read of a missing key goes on waiting when it is woken and the key is still missing (1.12 and later). */
  readonly missingKeyKeepsBlocking: boolean
  /** A refusal names the token's accessor and the permission (1.12 and later). */
  readonly explainsDenials: boolean
  /** `Interval`, `Timeout` and `ExposedPort` in the answers about checks. */
  readonly checkTimings: boolean
  /** `Datacenter` in the answers about an agent's own services. */
  readonly serviceDatacenter: boolean
  /** Fields of a registration that this version refuses as unknown. */
  readonly unknownServiceFields: ReadonlySet<string>
  /** Fields of a check that this version refuses as unknown. */
  readonly unknownCheckFields: ReadonlySet<string>
  /** The page that the refusal of a large value points to. */
  readonly valueLimitPage: string
}

/** The profile of each version. */
export const VERSIONS: Readonly<Record<ConsulVersion, VersionProfile>> = {
  '1.8': {
    release: '1.8.7',
    prettyJson: true,
    defaultPolicyHeader: false,
    queryBackendHeader: false,
    filteredHeader: false,
    unknownIdIs404: false,
    connectionLimitAnswers: false,
    validatesKeys: false,
    limitsChunkedValues: false,
    txnMaxOperations: 64,
    missingKeyKeepsBlocking: false,
    explainsDenials: false,
    checkTimings: false,
    serviceDatacenter: false,
    unknownServiceFields: new Set(['Namespace', 'Partition', 'Ports', 'SocketPath', 'Locality', 'PeerName']),
    unknownCheckFields: new Set([
      'Namespace',
      'H2PING',
      'H2PingUseTLS',
      'DisableRedirects',
      'TLSServerName',
      'UDP',
      'OSService',
      'FailuresBeforeWarning',
    ]),
    valueLimitPage: 'https://www.consul.io/docs/agent/options.html#kv_max_value_size',
  },
  '1.22': {
    release: '1.22.0',
    prettyJson: false,
    defaultPolicyHeader: true,
    queryBackendHeader: true,
    filteredHeader: true,
    unknownIdIs404: true,
    connectionLimitAnswers: true,
    validatesKeys: true,
    limitsChunkedValues: true,
    txnMaxOperations: 128,
    missingKeyKeepsBlocking: true,
    explainsDenials: true,
    checkTimings: true,
    serviceDatacenter: true,
    unknownServiceFields: new Set(),
    unknownCheckFields: new Set(),
    valueLimitPage: 'https://developer.hashicorp.com/docs/agent/config/config-files#kv_max_value_size',
  },
}
