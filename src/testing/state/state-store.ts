/**
 * What the servers of one datacenter agree on. Every change is one entry of a log with a growing index; it is applied whole or not at
 * all, and wakes the queries that read what it touched.
 */
import { Catalog } from './catalog.js'
import { Indexes } from './indexes.js'
import { KvTable } from './kv.js'
import { PreparedQueryTable } from './prepared-queries.js'
import { SessionTable } from './sessions.js'
import { Transaction } from './transaction.js'
import { WakeUps } from './wake-ups.js'

/** Where the log of a fresh server stands once it has elected itself; the first write of a client comes after. */
export const FIRST_INDEX = 9

/** The replicated state of one datacenter. */
export class StateStore {
  readonly wakeUps = new WakeUps()
  readonly #nowMs: () => number
  #tables: Tables
  #index = FIRST_INDEX
  /** Counts the times that the whole state was replaced, so that a blocked query can tell that it reads another life. */
  #generation = 0

  /** `nowMs` is a clock that never jumps. */
  constructor(nowMs: () => number) {
    this.#nowMs = nowMs
    this.#tables = new Tables(nowMs)
  }

  get catalog(): Catalog {
    return this.#tables.catalog
  }

  get kv(): KvTable {
    return this.#tables.kv
  }

  get sessions(): SessionTable {
    return this.#tables.sessions
  }

  get queries(): PreparedQueryTable {
    return this.#tables.queries
  }

  get indexes(): Indexes {
    return this.#tables.indexes
  }

  /** The newest log index. */
  get index(): number {
    return this.#index
  }

  get generation(): number {
    return this.#generation
  }

  /** Applies a change. What it throws undoes it, though its log entry is spent, as on a real server. */
  apply<Result>(change: (tx: Transaction) => Result): Result {
    const tx = new Transaction(++this.#index)
    try {
      return change(tx)
    } catch (error) {
      tx.rollback()
      throw error
    } finally {
      this.wakeUps.touch(tx.touched)
    }
  }

  /** Forgets everything. With `restartIndex` the log starts over, as it does when servers lose their data; else it goes on. */
  clear({ restartIndex }: { readonly restartIndex: boolean }): void {
    this.#tables = new Tables(this.#nowMs)
    if (restartIndex) this.#index = FIRST_INDEX
    this.#generation += 1
    this.wakeUps.touchAll()
  }
}

class Tables {
  readonly indexes = new Indexes()
  readonly kv: KvTable
  readonly sessions: SessionTable
  readonly catalog: Catalog
  readonly queries: PreparedQueryTable

  constructor(nowMs: () => number) {
    this.kv = new KvTable(this.indexes, nowMs)
    this.sessions = new SessionTable(this.indexes, this.kv, nowMs)
    this.catalog = new Catalog(this.indexes, this.sessions)
    this.queries = new PreparedQueryTable(this.indexes)
  }
}
