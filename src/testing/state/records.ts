/** The rows of the catalog. All are immutable. */

/** The three states of a check. */
export type CheckStatus = 'passing' | 'warning' | 'critical'

/** Which log entries created and last changed a row. */
export interface RowIndexes {
  readonly createIndex: number
  readonly modifyIndex: number
}

/** A node, without its indexes. */
export interface NodeDefinition {
  readonly id: string
  readonly node: string
  readonly address: string
  readonly taggedAddresses: Readonly<Record<string, string>> | null
  readonly meta: Readonly<Record<string, string>> | null
}

/** A node of the catalog. */
export interface NodeRecord extends NodeDefinition, RowIndexes {}

/** An address and port, as `lan` and `wan` addresses have them. */
export interface ServiceAddress {
  readonly Address: string
  readonly Port: number
}

/** One named port of a service with several. */
export interface NamedPort {
  readonly Name: string
  readonly Port: number
  readonly Default: boolean
}

/** What a registration says of a service, without its node. */
export interface ServiceDefinition {
  readonly id: string
  readonly name: string
  readonly kind: string
  readonly tags: readonly string[]
  readonly address: string
  readonly port: number
  readonly ports: readonly NamedPort[]
  readonly taggedAddresses: Readonly<Record<string, ServiceAddress>> | null
  readonly meta: Readonly<Record<string, string>> | null
  readonly weights: { readonly Passing: number; readonly Warning: number }
  readonly enableTagOverride: boolean
  readonly socketPath: string
  readonly locality: unknown
  /** Kept and shown as it came: the embedded agent has no service mesh. */
  readonly proxy: Readonly<Record<string, unknown>> | undefined
  readonly connect: Readonly<Record<string, unknown>> | undefined
}

/** A service instance of the catalog. */
export interface ServiceRecord extends ServiceDefinition, RowIndexes {
  readonly node: string
}

/** What is said of a check, without its node. */
export interface CheckDefinition {
  readonly checkId: string
  readonly name: string
  readonly status: CheckStatus
  readonly notes: string
  readonly output: string
  readonly serviceId: string
  readonly serviceName: string
  readonly serviceTags: readonly string[]
  readonly type: string
  readonly interval: string
  readonly timeout: string
  /** What a registration straight into the catalog said; an agent's own checks leave it empty. */
  readonly definition: Readonly<Record<string, unknown>>
}

/** A check of the catalog. */
export interface CheckRecord extends CheckDefinition, RowIndexes {
  readonly node: string
}

/** Whether two definitions say the same. Both are built field by field in one order, so their JSON can be compared. */
export function sameDefinition(left: object, right: object): boolean {
  return JSON.stringify(left) === JSON.stringify(right)
}
