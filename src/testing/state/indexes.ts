import type { Transaction } from './transaction.js'

/** The tables that have an index of their own. */
export type TableName = 'nodes' | 'services' | 'checks' | 'kvs' | 'tombstones' | 'sessions' | 'prepared-queries'

/** The newest log index that changed each table, each service, and the last removal of a whole service. */
export class Indexes {
  readonly #values = new Map<string, number>()

  /** The newest of the tables; 0 when none was ever written. */
  ofTables(...tables: readonly TableName[]): number {
    return Math.max(0, ...tables.map((table) => this.#values.get(table) ?? 0))
  }

  raiseTable(tx: Transaction, ...tables: readonly TableName[]): void {
    for (const table of tables) this.#set(tx, table, tx.index)
  }

  /** The index of a service; undefined when there is none (any more). */
  ofService(service: string): number | undefined {
    return this.#values.get(`service.${service}`)
  }

  raiseService(tx: Transaction, service: string): void {
    this.#set(tx, `service.${service}`, tx.index)
  }

  /** The service's last instance went: its index goes with it, and the moment is kept for those who ask for unknown services. */
  dropService(tx: Transaction, service: string): void {
    this.#set(tx, `service.${service}`, undefined)
    this.#set(tx, 'service_last_extinction', tx.index)
  }

  /** When a service last lost its last instance; undefined when that never happened. */
  get lastExtinction(): number | undefined {
    return this.#values.get('service_last_extinction')
  }

  #set(tx: Transaction, name: string, value: number | undefined): void {
    const before = this.#values.get(name)
    const write = (next: number | undefined): void => {
      if (next === undefined) this.#values.delete(name)
      else this.#values.set(name, next)
    }
    write(value)
    tx.onRollback(() => write(before))
  }
}
