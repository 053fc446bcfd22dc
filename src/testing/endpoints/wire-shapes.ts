/** The JSON of nodes, services and checks, field by field in the real agent's order. */
import type { CheckDefinition, CheckRecord, NodeRecord, ServiceDefinition, ServiceRecord } from '../state/records.js'
import type { VersionProfile } from '../versions.js'

const PLAIN_PROXY = { MeshGateway: {}, Expose: {} }

/** A node inside the answers of health and catalog. */
export function nodeJson(node: NodeRecord, datacenter: string): object {
  return {
    ID: node.id,
    Node: node.node,
    Address: node.address,
    Datacenter: datacenter,
    TaggedAddresses: node.taggedAddresses,
    Meta: node.meta,
    CreateIndex: node.createIndex,
    ModifyIndex: node.modifyIndex,
  }
}

/** A service inside the answers of health and `catalog/node`. */
export function serviceJson(service: ServiceRecord): object {
  return {
    ...(service.kind === '' ? {} : { Kind: service.kind }),
    ID: service.id,
    Service: service.name,
    Tags: service.tags,
    Address: service.address,
    ...(service.taggedAddresses === null ? {} : { TaggedAddresses: service.taggedAddresses }),
    Meta: service.meta,
    Port: service.port,
    ...(service.ports.length === 0 ? {} : { Ports: service.ports }),
    ...(service.socketPath === '' ? {} : { SocketPath: service.socketPath }),
    Weights: service.weights,
    EnableTagOverride: service.enableTagOverride,
    ...(service.locality === undefined ? {} : { Locality: service.locality }),
    Proxy: service.proxy ?? PLAIN_PROXY,
    Connect: service.connect ?? {},
    CreateIndex: service.createIndex,
    ModifyIndex: service.modifyIndex,
  }
}

/** A service in the flat shape of `catalog/service`. */
export function catalogServiceJson(service: ServiceRecord, node: NodeRecord, datacenter: string): object {
  return {
    ID: node.id,
    Node: node.node,
    Address: node.address,
    Datacenter: datacenter,
    TaggedAddresses: node.taggedAddresses,
    NodeMeta: node.meta,
    ServiceKind: service.kind,
    ServiceID: service.id,
    ServiceName: service.name,
    ServiceTags: service.tags,
    ServiceAddress: service.address,
    ...(service.taggedAddresses === null ? {} : { ServiceTaggedAddresses: service.taggedAddresses }),
    ServiceWeights: service.weights,
    ServiceMeta: service.meta ?? {},
    ServicePort: service.port,
    ...(service.ports.length === 0 ? {} : { ServicePorts: service.ports }),
    ...(service.socketPath === '' ? {} : { ServiceSocketPath: service.socketPath }),
    ServiceEnableTagOverride: service.enableTagOverride,
    ...(service.locality === undefined ? {} : { ServiceLocality: service.locality }),
    ServiceProxy: service.proxy ?? PLAIN_PROXY,
    ServiceConnect: service.connect ?? {},
    CreateIndex: service.createIndex,
    ModifyIndex: service.modifyIndex,
  }
}

/** A check, from the catalog or of the agent itself. */
export function checkJson(
  check: CheckDefinition & Pick<CheckRecord, 'node' | 'createIndex' | 'modifyIndex'>,
  profile: VersionProfile,
): object {
  return {
    Node: check.node,
    CheckID: check.checkId,
    Name: check.name,
    Status: check.status,
    Notes: check.notes,
    Output: check.output,
    ServiceID: check.serviceId,
    ServiceName: check.serviceName,
    ServiceTags: check.serviceTags,
    Type: check.type,
    ...(profile.checkTimings ? { Interval: check.interval, Timeout: check.timeout, ExposedPort: 0 } : {}),
    Definition: check.definition,
    CreateIndex: check.createIndex,
    ModifyIndex: check.modifyIndex,
  }
}

/** A service in the shape of the agent's own answers. */
export function localServiceJson(service: ServiceDefinition, datacenter: string, profile: VersionProfile): object {
  return {
    ...(service.kind === '' ? {} : { Kind: service.kind }),
    ID: service.id,
    Service: service.name,
    Tags: service.tags,
    Meta: service.meta ?? {},
    Port: service.port,
    ...(service.ports.length === 0 ? {} : { Ports: service.ports }),
    Address: service.address,
    ...(service.taggedAddresses === null ? {} : { TaggedAddresses: service.taggedAddresses }),
    ...(service.socketPath === '' ? {} : { SocketPath: service.socketPath }),
    Weights: service.weights,
    EnableTagOverride: service.enableTagOverride,
    ...(service.proxy === undefined ? {} : { Proxy: service.proxy }),
    ...(service.connect === undefined ? {} : { Connect: service.connect }),
    ...(service.locality === undefined ? {} : { Locality: service.locality }),
    ...(profile.serviceDatacenter ? { Datacenter: datacenter } : {}),
  }
}
