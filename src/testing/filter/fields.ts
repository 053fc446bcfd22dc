/** Which fields of each kind of row a filter can name, and what they are. */

/** What a field is. */
export type Field =
  | 'string'
  | 'int'
  | 'bool'
  | 'strings'
  /** A map from text to text. */
  | 'text-map'
  /** A map from text to objects, or a list of objects. */
  | { readonly each: 'map' | 'list'; readonly of: Fields }
  | Fields

/** The fields of an object. */
export interface Fields {
  readonly fields: Readonly<Record<string, Field>>
}

function fieldsOf(fields: Readonly<Record<string, Field>>): Fields {
  return { fields }
}

const WEIGHTS = fieldsOf({ Passing: 'int', Warning: 'int' })
const ADDRESSES: Field = { each: 'map', of: fieldsOf({ Address: 'string', Port: 'int' }) }
const PROXY = fieldsOf({
  DestinationServiceName: 'string',
  DestinationServiceID: 'string',
  LocalServiceAddress: 'string',
  LocalServicePort: 'int',
  MeshGateway: fieldsOf({ Mode: 'string' }),
})
const CONNECT = fieldsOf({ Native: 'bool' })
const PORTS: Field = { each: 'list', of: fieldsOf({ Name: 'string', Port: 'int', Default: 'bool' }) }

const NODE = fieldsOf({
  ID: 'string',
  Node: 'string',
  Address: 'string',
  Datacenter: 'string',
  TaggedAddresses: 'text-map',
  Meta: 'text-map',
})

const SERVICE = fieldsOf({
  Kind: 'string',
  ID: 'string',
  Service: 'string',
  Tags: 'strings',
  Address: 'string',
  TaggedAddresses: ADDRESSES,
  Meta: 'text-map',
  Port: 'int',
  Ports: PORTS,
  SocketPath: 'string',
  Weights: WEIGHTS,
  EnableTagOverride: 'bool',
  Proxy: PROXY,
  Connect: CONNECT,
})

const CHECK = fieldsOf({
  Node: 'string',
  CheckID: 'string',
  Name: 'string',
  Status: 'string',
  Notes: 'string',
  Output: 'string',
  ServiceID: 'string',
  ServiceName: 'string',
  ServiceTags: 'strings',
  Type: 'string',
})

const CATALOG_SERVICE = fieldsOf({
  ID: 'string',
  Node: 'string',
  Address: 'string',
  Datacenter: 'string',
  TaggedAddresses: 'text-map',
  NodeMeta: 'text-map',
  ServiceKind: 'string',
  ServiceID: 'string',
  ServiceName: 'string',
  ServiceTags: 'strings',
  ServiceAddress: 'string',
  ServiceTaggedAddresses: ADDRESSES,
  ServiceWeights: WEIGHTS,
  ServiceMeta: 'text-map',
  ServicePort: 'int',
  ServicePorts: PORTS,
  ServiceEnableTagOverride: 'bool',
  ServiceProxy: PROXY,
  ServiceConnect: CONNECT,
})

/** The kinds of rows that a filter can be about. */
export type FilterKind = 'health' | 'catalog-service' | 'service' | 'node' | 'check' | 'agent-service' | 'agent-check'

/** The fields of each kind of row. */
export const FIELDS: Readonly<Record<FilterKind, Fields>> = {
  health: fieldsOf({ Node: NODE, Service: SERVICE, Checks: { each: 'list', of: CHECK } }),
  'catalog-service': CATALOG_SERVICE,
  service: SERVICE,
  node: NODE,
  check: CHECK,
  'agent-service': SERVICE,
  'agent-check': CHECK,
}
