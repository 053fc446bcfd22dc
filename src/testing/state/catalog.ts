/**
 * Nodes, services and checks, and which index each write raises. An unchanged registration raises none and wakes nobody.
 * See https://developer.hashicorp.com/consul/api-docs/catalog.
 */
import type { Indexes } from './indexes.js'
import {
  sameDefinition,
  type CheckDefinition,
  type CheckRecord,
  type NodeDefinition,
  type NodeRecord,
  type ServiceDefinition,
  type ServiceRecord,
} from './records.js'
import { Table } from './table.js'
import type { Transaction } from './transaction.js'
import { topics } from './wake-ups.js'

const SEPARATOR = '\u0000'

function rowKey(node: string, id: string): string {
  return `${node}${SEPARATOR}${id}`.toLowerCase()
}

/** What the catalog tells the session table: these checks or this node no longer vouch for anyone. */
export interface CatalogLosses {
  checkLost(tx: Transaction, node: string, checkId: string): void
  nodeLost(tx: Transaction, node: string): void
}

/** The catalog of one datacenter. Names are matched without regard to case, as Consul does. */
export class Catalog {
  readonly #indexes: Indexes
  readonly #losses: CatalogLosses
  readonly #nodes = new Table<NodeRecord>((row) => row.node.toLowerCase(), {})
  readonly #services = new Table<ServiceRecord, 'node' | 'name'>((row) => rowKey(row.node, row.id), {
    node: (row) => row.node.toLowerCase(),
    name: (row) => row.name.toLowerCase(),
  })
  readonly #checks = new Table<CheckRecord, 'node' | 'service' | 'instance' | 'status'>(
    (row) => rowKey(row.node, row.checkId),
    {
      node: (row) => row.node.toLowerCase(),
      service: (row) => row.serviceName.toLowerCase(),
      instance: (row) => rowKey(row.node, row.serviceId),
      status: (row) => row.status,
    },
  )

  constructor(indexes: Indexes, losses: CatalogLosses) {
    this.#indexes = indexes
    this.#losses = losses
  }

  nodes(): readonly NodeRecord[] {
    return this.#nodes.all()
  }

  node(name: string): NodeRecord | undefined {
    return this.#nodes.get(name.toLowerCase())
  }

  nodeById(id: string): NodeRecord | undefined {
    return id === '' ? undefined : this.#nodes.all().find((row) => row.id === id)
  }

  services(): readonly ServiceRecord[] {
    return this.#services.all()
  }

  serviceNames(): readonly string[] {
    return this.#services.valuesOf('name')
  }

  instances(service: string): readonly ServiceRecord[] {
    return this.#services.by('name', service.toLowerCase())
  }

  service(node: string, id: string): ServiceRecord | undefined {
    return this.#services.get(rowKey(node, id))
  }

  servicesOfNode(node: string): readonly ServiceRecord[] {
    return this.#services.by('node', node.toLowerCase())
  }

  checks(): readonly CheckRecord[] {
    return this.#checks.all()
  }

  check(node: string, checkId: string): CheckRecord | undefined {
    return this.#checks.get(rowKey(node, checkId))
  }

  checksOfNode(node: string): readonly CheckRecord[] {
    return this.#checks.by('node', node.toLowerCase())
  }

  checksOfService(service: string): readonly CheckRecord[] {
    return this.#checks.by('service', service.toLowerCase())
  }

  checksInState(status: string): readonly CheckRecord[] {
    return this.#checks.by('status', status)
  }

  /** The checks of one instance; with an empty id, those of the node itself. */
  checksOfInstance(node: string, serviceId: string): readonly CheckRecord[] {
    return this.#checks.by('instance', rowKey(node, serviceId))
  }

  /** Adds or changes a node. */
  putNode(tx: Transaction, definition: NodeDefinition): void {
    const before = this.node(definition.node)
    if (before !== undefined && sameDefinition(nodeDefinition(before), nodeDefinition(definition))) return
    this.#nodes.put(tx, {
      ...nodeDefinition(definition),
      createIndex: before?.createIndex ?? tx.index,
      modifyIndex: tx.index,
    })
    this.#indexes.raiseTable(tx, 'nodes')
    tx.touch(topics.nodes, topics.node(definition.node.toLowerCase()))
    this.#raiseServicesOfNode(tx, definition.node)
  }

  /** Adds or changes a service instance of a node. */
  putService(tx: Transaction, node: string, definition: ServiceDefinition): void {
    const before = this.service(node, definition.id)
    if (before !== undefined && sameDefinition(serviceDefinition(before), serviceDefinition(definition))) return
    if (before !== undefined && before.name.toLowerCase() !== definition.name.toLowerCase()) {
      this.#services.delete(tx, rowKey(node, definition.id))
      this.#afterInstanceLeft(tx, before.name)
    }
    this.#services.put(tx, {
      ...serviceDefinition(definition),
      node,
      createIndex: before?.createIndex ?? tx.index,
      modifyIndex: tx.index,
    })
    this.#indexes.raiseTable(tx, 'services')
    this.#raiseService(tx, definition.name)
    this.#touchServiceTable(tx, node, definition.name)
  }

  /**
   * Adds or changes a check.
   * @returns what is missing, or undefined when it was done.
   */
  putCheck(tx: Transaction, node: string, given: CheckDefinition): 'node' | 'service' | undefined {
    if (this.node(node) === undefined) return 'node'
    const owner = given.serviceId === '' ? undefined : this.service(node, given.serviceId)
    if (given.serviceId !== '' && owner === undefined) return 'service'
    const definition = owner === undefined ? given : { ...given, serviceName: owner.name, serviceTags: owner.tags }
    const before = this.check(node, definition.checkId)
    if (definition.status === 'critical') this.#losses.checkLost(tx, node, definition.checkId)
    if (before !== undefined && sameDefinition(checkDefinition(before), checkDefinition(definition))) return undefined
    this.#checks.put(tx, {
      ...checkDefinition(definition),
      node,
      createIndex: before?.createIndex ?? tx.index,
      modifyIndex: tx.index,
    })
    if (before !== undefined) this.#touchCheck(tx, before)
    this.#indexes.raiseTable(tx, 'checks')
    this.#touchCheck(tx, { ...definition, node })
    return undefined
  }

  deleteCheck(tx: Transaction, node: string, checkId: string): boolean {
    const row = this.#checks.delete(tx, rowKey(node, checkId))
    if (row === undefined) return false
    this.#indexes.raiseTable(tx, 'checks')
    // Removing a node's own check raises the services table too; wakes nobody who waits for that table's rows.
    if (row.serviceId === '') this.#indexes.raiseTable(tx, 'services')
    this.#touchCheck(tx, row)
    this.#losses.checkLost(tx, node, checkId)
    return true
  }

  deleteService(tx: Transaction, node: string, id: string): boolean {
    const row = this.service(node, id)
    if (row === undefined) return false
    for (const check of this.checksOfInstance(node, id)) this.deleteCheck(tx, node, check.checkId)
    this.#services.delete(tx, rowKey(node, id))
    this.#indexes.raiseTable(tx, 'services', 'checks')
    this.#touchServiceTable(tx, node, row.name)
    this.#afterInstanceLeft(tx, row.name)
    return true
  }

  deleteNode(tx: Transaction, node: string): boolean {
    if (this.node(node) === undefined) return false
    for (const service of this.servicesOfNode(node)) this.deleteService(tx, node, service.id)
    for (const check of this.checksOfNode(node)) this.deleteCheck(tx, node, check.checkId)
    this.#nodes.delete(tx, node.toLowerCase())
    this.#indexes.raiseTable(tx, 'nodes')
    tx.touch(topics.nodes, topics.node(node.toLowerCase()))
    this.#losses.nodeLost(tx, node)
    return true
  }

  #afterInstanceLeft(tx: Transaction, service: string): void {
    if (this.#services.has('name', service.toLowerCase())) this.#raiseService(tx, service)
    else {
      this.#indexes.dropService(tx, service.toLowerCase())
      tx.touch(topics.serviceIndex(service.toLowerCase()))
    }
  }

  #touchServiceTable(tx: Transaction, node: string, service: string): void {
    tx.touch(topics.services, topics.servicesOfNode(node.toLowerCase()))
    tx.touchName('service', service.toLowerCase())
  }

  #raiseService(tx: Transaction, service: string): void {
    this.#indexes.raiseService(tx, service.toLowerCase())
    tx.touch(topics.serviceIndex(service.toLowerCase()))
  }

  #raiseServicesOfNode(tx: Transaction, node: string): void {
    for (const service of this.servicesOfNode(node)) this.#raiseService(tx, service.name)
  }

  #touchCheck(tx: Transaction, check: CheckDefinition & { readonly node: string }): void {
    tx.touch(
      topics.checks,
      topics.checksOfNode(check.node.toLowerCase()),
      topics.checksOfService(check.serviceName.toLowerCase()),
      topics.checksInState(check.status),
    )
    if (check.serviceId === '') this.#raiseServicesOfNode(tx, check.node)
    else this.#raiseService(tx, check.serviceName)
  }
}

/** The fields of a node without its indexes, always in the same order. */
function nodeDefinition({ id, node, address, taggedAddresses, meta }: NodeDefinition): NodeDefinition {
  return { id, node, address, taggedAddresses, meta }
}

/** The fields of a service without node and indexes, always in the same order. */
export function serviceDefinition(row: ServiceDefinition): ServiceDefinition {
  return {
    id: row.id,
    name: row.name,
    kind: row.kind,
    tags: row.tags,
    address: row.address,
    port: row.port,
    ports: row.ports,
    taggedAddresses: row.taggedAddresses,
    meta: row.meta,
    weights: row.weights,
    enableTagOverride: row.enableTagOverride,
    socketPath: row.socketPath,
    locality: row.locality,
    proxy: row.proxy,
    connect: row.connect,
  }
}

/** The fields of a check without node and indexes, always in the same order. */
export function checkDefinition(row: CheckDefinition): CheckDefinition {
  return {
    checkId: row.checkId,
    name: row.name,
    status: row.status,
    notes: row.notes,
    output: row.output,
    serviceId: row.serviceId,
    serviceName: row.serviceName,
    serviceTags: row.serviceTags,
    type: row.type,
    interval: row.interval,
    timeout: row.timeout,
    definition: row.definition,
  }
}
