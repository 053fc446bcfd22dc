import type { Indexes } from './indexes.js'
import { Table } from './table.js'
import type { Transaction } from './transaction.js'
import { topics } from './wake-ups.js'

/** A stored query for healthy instances of a service. */
export interface PreparedQueryRecord {
  readonly id: string
  readonly name: string
  readonly session: string
  readonly token: string
  readonly service: string
  readonly onlyPassing: boolean
  readonly near: string
  readonly tags: readonly string[] | null
  readonly nodeMeta: Readonly<Record<string, string>> | null
  readonly serviceMeta: Readonly<Record<string, string>> | null
  readonly ignoreCheckIds: readonly string[] | null
  readonly failoverNearestN: number
  readonly failoverDatacenters: readonly string[] | null
  readonly connect: boolean
  readonly dnsTtl: string
  readonly createIndex: number
  readonly modifyIndex: number
}

/** The prepared queries of one datacenter. */
export class PreparedQueryTable {
  readonly #indexes: Indexes
  readonly #rows = new Table<PreparedQueryRecord>((row) => row.id, {})

  constructor(indexes: Indexes) {
    this.#indexes = indexes
  }

  all(): readonly PreparedQueryRecord[] {
    return this.#rows.all()
  }

  get(id: string): PreparedQueryRecord | undefined {
    return this.#rows.get(id)
  }

  /** By id, else by name. */
  find(idOrName: string): PreparedQueryRecord | undefined {
    return this.#rows.get(idOrName) ?? this.#rows.all().find((row) => row.name === idOrName && row.name !== '')
  }

  put(tx: Transaction, query: Omit<PreparedQueryRecord, 'createIndex' | 'modifyIndex'>): void {
    const createIndex = this.#rows.get(query.id)?.createIndex ?? tx.index
    this.#rows.put(tx, { ...query, createIndex, modifyIndex: tx.index })
    this.#raise(tx)
  }

  delete(tx: Transaction, id: string): boolean {
    if (this.#rows.delete(tx, id) === undefined) return false
    this.#raise(tx)
    return true
  }

  #raise(tx: Transaction): void {
    this.#indexes.raiseTable(tx, 'prepared-queries')
    tx.touch(topics.queries)
  }
}
