/**
 * Sessions: what they depend on, and what their end does to the locks they held.
 * See https://developer.hashicorp.com/consul/docs/dynamic-app-config/sessions.
 */
import type { Indexes } from './indexes.js'
import type { KvTable } from './kv.js'
import { Table } from './table.js'
import type { Transaction } from './transaction.js'
import { topics } from './wake-ups.js'

/** One session. */
export interface SessionRecord {
  readonly id: string
  readonly name: string
  readonly node: string
  readonly lockDelayNs: number
  readonly behavior: 'release' | 'delete'
  /** As it was given, such as `10s`; empty for none. */
  readonly ttl: string
  readonly nodeChecks: readonly string[]
  readonly serviceChecks: readonly { readonly ID: string; readonly Namespace: string }[] | null
  readonly createIndex: number
  readonly modifyIndex: number
}

/** The sessions of one datacenter. */
export class SessionTable {
  readonly #indexes: Indexes
  readonly #kv: KvTable
  readonly #nowMs: () => number
  readonly #rows = new Table<SessionRecord, 'node'>((row) => row.id, { node: (row) => row.node.toLowerCase() })
  /** Until when nobody may acquire a key, by the clock that never jumps. */
  readonly #lockDelays = new Map<string, number>()

  constructor(indexes: Indexes, kv: KvTable, nowMs: () => number) {
    this.#indexes = indexes
    this.#kv = kv
    this.#nowMs = nowMs
  }

  get(id: string): SessionRecord | undefined {
    return this.#rows.get(id)
  }

  all(): readonly SessionRecord[] {
    return this.#rows.all()
  }

  ofNode(node: string): readonly SessionRecord[] {
    return this.#rows.by('node', node.toLowerCase())
  }

  create(tx: Transaction, session: Omit<SessionRecord, 'createIndex' | 'modifyIndex'>): void {
    this.#rows.put(tx, { ...session, createIndex: tx.index, modifyIndex: tx.index })
    this.#raise(tx, session.id)
  }

  /** Ends a session: its locks are released or its keys deleted, and their lock-delay begins. */
  destroy(tx: Transaction, id: string): boolean {
    const session = this.#rows.delete(tx, id)
    if (session === undefined) return false
    this.#raise(tx, id)
    for (const key of this.#kv.heldBy(id)) {
      if (session.lockDelayNs > 0) this.#delay(tx, key, session.lockDelayNs / 1e6)
      if (session.behavior === 'delete') this.#kv.delete(tx, key)
      else this.#kv.releaseLock(tx, key)
    }
    return true
  }

  /** Ends the sessions that rely on a check. */
  checkLost(tx: Transaction, node: string, checkId: string): void {
    for (const session of this.ofNode(node)) {
      const relies = session.nodeChecks.includes(checkId) || session.serviceChecks?.some(({ ID }) => ID === checkId)
      if (relies === true) this.destroy(tx, session.id)
    }
  }

  /** Ends the sessions of a node. */
  nodeLost(tx: Transaction, node: string): void {
    for (const session of this.ofNode(node)) this.destroy(tx, session.id)
  }

  /** Whether a key may not be acquired yet because the session that held it has just ended. */
  isDelayed(key: string): boolean {
    const untilMs = this.#lockDelays.get(key)
    if (untilMs === undefined) return false
    if (untilMs > this.#nowMs()) return true
    this.#lockDelays.delete(key)
    return false
  }

  #delay(tx: Transaction, key: string, delayMs: number): void {
    const before = this.#lockDelays.get(key)
    this.#lockDelays.set(key, this.#nowMs() + delayMs)
    tx.onRollback(() => (before === undefined ? this.#lockDelays.delete(key) : this.#lockDelays.set(key, before)))
  }

  #raise(tx: Transaction, id: string): void {
    this.#indexes.raiseTable(tx, 'sessions')
    tx.touch(topics.sessions, topics.session(id))
  }
}
