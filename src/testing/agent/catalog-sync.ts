/**
 * Carries an agent's local state into the catalog: changes at once, outputs of unchanged checks later, and everything now and then, which
 * also undoes what others wrote about this node. Without a leader changes wait until there is one again.
 */
import type { Clock, Timer } from '../../core/clock.js'
import { checkDefinition } from '../state/catalog.js'
import { sameDefinition, type CheckDefinition } from '../state/records.js'
import type { StateStore } from '../state/state-store.js'
import type { Transaction } from '../state/transaction.js'
import { topics } from '../state/wake-ups.js'
import type { LocalState, LocalStateListener } from './local-state.js'

/** The catalog is told of an output that changed without its state after this long (`check_update_interval`). */
export const OUTPUT_DELAY_MS = 300_000

/** How often the whole local state is compared with the catalog. */
export const FULL_SYNC_MS = 60_000

/** The check that stands for the agent itself; the cluster keeps it. */
export const SERF_CHECK_ID = 'serfHealth'

/** The entry that servers keep for themselves. */
export const CONSUL_SERVICE_ID = 'consul'

/** What the synchronisation needs to know of its surroundings. */
export interface SyncContext {
  readonly clock: Clock
  readonly store: StateStore
  readonly nodeName: string
  hasLeader(): boolean
  mayWriteService(token: string, service: string): boolean
  mayWriteNode(token: string): boolean
}

/** The way from one agent's local state to the catalog. */
export class CatalogSync implements LocalStateListener {
  readonly #context: SyncContext
  readonly #local: () => LocalState
  readonly #services = new Map<string, string>()
  readonly #checks = new Map<string, string>()
  readonly #outputTimers = new Map<string, Timer>()
  #fullSync: Timer | undefined

  constructor(context: SyncContext, local: () => LocalState) {
    this.#context = context
    this.#local = local
  }

  /** Begins the regular full synchronisations. */
  start(): void {
    this.#fullSync = this.#context.clock.setTimer(
      () => {
        this.syncAll()
        this.start()
      },
      FULL_SYNC_MS,
      { keepAlive: false },
    )
  }

  stop(): void {
    this.#fullSync?.cancel()
    for (const timer of this.#outputTimers.values()) timer.cancel()
    this.#outputTimers.clear()
  }

  serviceChanged(id: string, token: string): void {
    this.#services.set(id, token)
    this.#context.store.wakeUps.touch([topics.localService(this.#context.nodeName, id)])
  }

  checkChanged(id: string, token: string): void {
    this.#checks.set(id, token)
  }

  outputChanged(id: string): void {
    if (this.#outputTimers.has(id)) return
    const send = (): void => {
      this.#outputTimers.delete(id)
      const check = this.#local().check(id)
      if (check === undefined) return
      this.#checks.set(id, check.token)
      this.settled()
    }
    this.#outputTimers.set(id, this.#context.clock.setTimer(send, OUTPUT_DELAY_MS, { keepAlive: false }))
  }

  /** Sends what changed, if there is a leader to take it. */
  settled(): void {
    if (!this.#context.hasLeader() || this.#services.size + this.#checks.size === 0) return
    const services = [...this.#services]
    const checks = [...this.#checks]
    this.#services.clear()
    this.#checks.clear()
    this.#context.store.apply((tx) => {
      for (const [id, token] of services) this.#sendService(tx, id, token)
      for (const [id, token] of checks) this.#sendCheck(tx, id, token)
    })
  }

  /** Compares everything with the catalog and sends what differs. */
  syncAll(): void {
    if (!this.#context.hasLeader()) return
    const { catalog } = this.#context.store
    const { nodeName } = this.#context
    const local = this.#local()
    for (const { definition, token } of local.services()) this.#services.set(definition.id, token)
    for (const { definition, token } of local.checks()) {
      const inCatalog = catalog.check(nodeName, definition.checkId)
      if (inCatalog === undefined || !sameButOutput(inCatalog, definition)) this.#checks.set(definition.checkId, token)
    }
    for (const { id } of catalog.servicesOfNode(nodeName)) {
      if (local.service(id) === undefined && id !== CONSUL_SERVICE_ID) this.#services.set(id, '')
    }
    for (const { checkId } of catalog.checksOfNode(nodeName)) {
      if (local.check(checkId) === undefined && checkId !== SERF_CHECK_ID) this.#checks.set(checkId, '')
    }
    this.settled()
  }

  #sendService(tx: Transaction, id: string, token: string): void {
    const { store, nodeName } = this.#context
    const local = this.#local().service(id)
    const name = local?.definition.name ?? store.catalog.service(nodeName, id)?.name
    if (name === undefined || !this.#context.mayWriteService(token, name)) return
    if (local === undefined) {
      store.catalog.deleteService(tx, nodeName, id)
      return
    }
    const inCatalog = store.catalog.service(nodeName, id)
    // With EnableTagOverride others may change the tags in the catalog, and the agent leaves them alone.
    const tags = local.definition.enableTagOverride && inCatalog !== undefined ? inCatalog.tags : local.definition.tags
    store.catalog.putService(tx, nodeName, { ...local.definition, tags })
  }

  #sendCheck(tx: Transaction, id: string, token: string): void {
    const { store, nodeName } = this.#context
    const local = this.#local().check(id)
    const subject = local?.definition ?? store.catalog.check(nodeName, id)
    if (subject === undefined) return
    const isAllowed =
      subject.serviceId === ''
        ? this.#context.mayWriteNode(token)
        : this.#context.mayWriteService(token, subject.serviceName)
    if (!isAllowed) return
    if (local === undefined) store.catalog.deleteCheck(tx, nodeName, id)
    else store.catalog.putCheck(tx, nodeName, checkDefinition(local.definition))
  }
}

/** An output that changed alone has its own delay, which a full synchronisation does not cut short. */
function sameButOutput(left: CheckDefinition, right: CheckDefinition): boolean {
  return sameDefinition({ ...checkDefinition(left), output: '' }, { ...checkDefinition(right), output: '' })
}
