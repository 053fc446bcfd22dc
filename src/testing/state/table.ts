import type { Transaction } from './transaction.js'

/** Rows by primary key, with secondary indexes, changed only through a transaction. Rows are immutable: a change replaces the row. */
export class Table<Row, IndexName extends string = never> {
  readonly #keyOf: (row: Row) => string
  readonly #indexKeys: Readonly<Record<IndexName, (row: Row) => string>>
  readonly #rows = new Map<string, Row>()
  readonly #indexes = new Map<string, Map<string, Map<string, Row>>>()

  constructor(keyOf: (row: Row) => string, indexKeys: Readonly<Record<IndexName, (row: Row) => string>>) {
    this.#keyOf = keyOf
    this.#indexKeys = indexKeys
  }

  get(key: string): Row | undefined {
    return this.#rows.get(key)
  }

  /** Adds or replaces a row. */
  put(tx: Transaction, row: Row): void {
    const key = this.#keyOf(row)
    const before = this.#rows.get(key)
    this.#place(key, row)
    tx.onRollback(() => (before === undefined ? this.#remove(key) : this.#place(key, before)))
  }

  /** Removes a row; undefined when there was none. */
  delete(tx: Transaction, key: string): Row | undefined {
    const before = this.#remove(key)
    if (before !== undefined) tx.onRollback(() => this.#place(key, before))
    return before
  }

  /** All rows, in the order of their keys. */
  all(): readonly Row[] {
    return inKeyOrder(this.#rows)
  }

  /** The rows with this value of a secondary index, in the order of their keys. */
  by(index: IndexName, value: string): readonly Row[] {
    const rows = this.#indexes.get(index)?.get(value)
    return rows === undefined ? [] : inKeyOrder(rows)
  }

  /** Whether any row has this value of a secondary index. */
  has(index: IndexName, value: string): boolean {
    return this.#indexes.get(index)?.has(value) ?? false
  }

  /** The values that a secondary index has rows for, in order. */
  valuesOf(index: IndexName): readonly string[] {
    return [...(this.#indexes.get(index)?.keys() ?? [])].sort()
  }

  #place(key: string, row: Row): void {
    this.#remove(key)
    this.#rows.set(key, row)
    for (const [name, valueOf] of this.#valueFunctions()) {
      const values = this.#indexes.get(name) ?? new Map<string, Map<string, Row>>()
      this.#indexes.set(name, values)
      const value = valueOf(row)
      const rows = values.get(value) ?? new Map<string, Row>()
      values.set(value, rows.set(key, row))
    }
  }

  #remove(key: string): Row | undefined {
    const row = this.#rows.get(key)
    if (row === undefined) return undefined
    this.#rows.delete(key)
    for (const [name, valueOf] of this.#valueFunctions()) {
      const values = this.#indexes.get(name)
      const value = valueOf(row)
      const rows = values?.get(value)
      rows?.delete(key)
      if (rows?.size === 0) values?.delete(value)
    }
    return row
  }

  #valueFunctions(): readonly [string, (row: Row) => string][] {
    return Object.entries<(row: Row) => string>(this.#indexKeys)
  }
}

function inKeyOrder<Row>(rows: ReadonlyMap<string, Row>): readonly Row[] {
  if (rows.size < 2) return [...rows.values()]
  return [...rows.entries()].sort(([left], [right]) => (left < right ? -1 : 1)).map(([, row]) => row)
}
