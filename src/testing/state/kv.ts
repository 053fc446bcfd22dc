/**
 * Keys and values, locks, and the tombstones of deleted keys, which raise a prefix's index until they are reaped.
 * See https://developer.hashicorp.com/consul/api-docs/kv.
 */
import type { Indexes } from './indexes.js'
import { SortedMap } from './sorted-map.js'
import type { Transaction } from './transaction.js'
import { topics, type Topic } from './wake-ups.js'

/** One key. */
export interface KvRecord {
  readonly key: string
  readonly value: Buffer
  readonly flags: bigint
  readonly lockIndex: number
  /** The session that holds the lock; empty when none does. */
  readonly session: string
  readonly createIndex: number
  readonly modifyIndex: number
}

/** What a write brings. */
export interface KvWrite {
  readonly key: string
  readonly value: Buffer
  readonly flags: bigint
}

/** The answer of a read, with the index and the topics that tell when to read again. */
export interface KvAnswer<Value> {
  readonly value: Value
  readonly index: number
  readonly interests: readonly Topic[]
}

interface Tombstone {
  readonly index: number
  readonly atMs: number
}

/** The key-value store of one datacenter. */
export class KvTable {
  readonly #indexes: Indexes
  readonly #nowMs: () => number
  readonly #records = new SortedMap<KvRecord>()
  readonly #tombstones = new SortedMap<Tombstone>()
  readonly #bySession = new Map<string, Set<string>>()

  constructor(indexes: Indexes, nowMs: () => number) {
    this.#indexes = indexes
    this.#nowMs = nowMs
  }

  get(key: string): KvRecord | undefined {
    return this.#records.get(key)
  }

  /** The keys that a session holds. */
  heldBy(session: string): readonly string[] {
    return [...(this.#bySession.get(session) ?? [])]
  }

  /** One key as a blocking query reads it. A missing key is watched by its neighbourhood, so unrelated writes may wake it. */
  read(key: string): KvAnswer<KvRecord | undefined> {
    const value = this.#records.get(key)
    if (value !== undefined) return { value, index: value.modifyIndex, interests: [topics.key(key)] }
    const interests = [topics.key(key), topics.below('kv', this.#records.neighbourhoodOf(key))]
    return { value, index: this.#tableIndex(), interests }
  }

  /** All keys below a prefix as a blocking query reads them. */
  list(prefix: string): KvAnswer<readonly KvRecord[]> {
    const value = [...this.#records.startingWith(prefix)]
    const isMissing = value.length === 0 && prefix !== ''
    const neighbourhood = isMissing ? this.#records.neighbourhoodOf(prefix) : prefix
    return { value, index: this.#prefixIndex(prefix, value), interests: [topics.below('kv', neighbourhood)] }
  }

  /** Writes a key; the same value and flags again change nothing. */
  set(tx: Transaction, write: KvWrite): KvRecord {
    const before = this.#records.get(write.key)
    // A plain write keeps the session but starts the lock counter anew.
    return this.#write(tx, { ...write, session: before?.session ?? '', lockIndex: 0 })
  }

  /** Writes when the key is as it was at `expected`; 0 means: when there is none. */
  setIf(tx: Transaction, write: KvWrite, expected: bigint): KvRecord | undefined {
    const before = this.#records.get(write.key)
    return BigInt(before?.modifyIndex ?? 0) === expected ? this.set(tx, write) : undefined
  }

  /** Writes and takes the lock; undefined when another session has it. */
  lock(tx: Transaction, write: KvWrite, session: string): KvRecord | undefined {
    const before = this.#records.get(write.key)
    if (before !== undefined && before.session !== '' && before.session !== session) return undefined
    const lockIndex = before?.session === session ? before.lockIndex : (before?.lockIndex ?? 0) + 1
    return this.#write(tx, { ...write, session, lockIndex })
  }

  /** Writes and gives the lock back; undefined when the session does not have it. */
  unlock(tx: Transaction, write: KvWrite, session: string): KvRecord | undefined {
    const before = this.#records.get(write.key)
    if (before?.session !== session) return undefined
    return this.#write(tx, { ...write, session: '', lockIndex: before.lockIndex })
  }

  /** Removes a key; a missing one is no error. */
  delete(tx: Transaction, key: string): void {
    const before = this.#records.get(key)
    if (before === undefined) return
    this.#place(tx, key, undefined)
    this.#bury(tx, key)
    this.#indexes.raiseTable(tx, 'kvs', 'tombstones')
    tx.touch(topics.key(key))
    tx.touchName('kv', key)
  }

  /** Removes a key that is as it was at `expected`, or that is not there. */
  deleteIf(tx: Transaction, key: string, expected: bigint): boolean {
    const before = this.#records.get(key)
    if (before !== undefined && BigInt(before.modifyIndex) !== expected) return false
    this.delete(tx, key)
    return true
  }

  /** Removes every key that starts with a prefix. */
  deleteTree(tx: Transaction, prefix: string): void {
    const doomed = [...this.#records.startingWith(prefix)]
    for (const record of doomed) {
      this.#place(tx, record.key, undefined)
      tx.touch(topics.key(record.key))
      tx.touchName('kv', record.key)
    }
    if (doomed.length === 0) return
    // One tombstone stands for the whole tree.
    if (prefix !== '') this.#bury(tx, prefix)
    this.#indexes.raiseTable(tx, 'kvs', 'tombstones')
  }

  /** Takes the lock off a key whose session ended. */
  releaseLock(tx: Transaction, key: string): void {
    const record = this.#records.get(key)
    if (record !== undefined) this.#write(tx, { ...record, session: '' })
  }

  /** Forgets tombstones that are older than `ageMs`: the indexes of their prefixes fall back, and nobody is woken. */
  reapTombstones(tx: Transaction, ageMs: number): number {
    const limitMs = this.#nowMs() - ageMs
    const dead = [...this.#tombstones.entries()].filter(([, tombstone]) => tombstone.atMs <= limitMs)
    for (const [key, tombstone] of dead) {
      this.#tombstones.delete(key)
      tx.onRollback(() => this.#tombstones.set(key, tombstone))
    }
    return dead.length
  }

  get hasTombstones(): boolean {
    return this.#tombstones.size > 0
  }

  #bury(tx: Transaction, key: string): void {
    const before = this.#tombstones.get(key)
    this.#tombstones.set(key, { index: tx.index, atMs: this.#nowMs() })
    tx.onRollback(() => {
      if (before === undefined) this.#tombstones.delete(key)
      else this.#tombstones.set(key, before)
    })
  }

  #write(tx: Transaction, next: Omit<KvRecord, 'createIndex' | 'modifyIndex'>): KvRecord {
    const before = this.#records.get(next.key)
    if (before !== undefined && sameContent(before, next)) return before
    const record: KvRecord = {
      key: next.key,
      value: next.value,
      flags: next.flags,
      lockIndex: next.lockIndex,
      session: next.session,
      createIndex: before?.createIndex ?? tx.index,
      modifyIndex: tx.index,
    }
    this.#place(tx, next.key, record)
    this.#indexes.raiseTable(tx, 'kvs')
    tx.touch(topics.key(next.key))
    tx.touchName('kv', next.key)
    return record
  }

  #place(tx: Transaction, key: string, record: KvRecord | undefined): void {
    const before = this.#records.get(key)
    const put = (from: KvRecord | undefined, to: KvRecord | undefined): void => {
      if (from !== undefined && from.session !== '') this.#bySession.get(from.session)?.delete(key)
      if (to === undefined) this.#records.delete(key)
      else {
        this.#records.set(key, to)
        if (to.session !== '') this.#bySession.set(to.session, (this.#bySession.get(to.session) ?? new Set()).add(key))
      }
    }
    put(before, record)
    tx.onRollback(() => put(record, before))
  }

  #tableIndex(): number {
    return this.#indexes.ofTables('kvs', 'tombstones')
  }

  #prefixIndex(prefix: string, records: readonly KvRecord[]): number {
    if (prefix === '') return this.#tableIndex()
    const newest = records.reduce((index, record) => Math.max(index, record.modifyIndex), 0)
    const buried = [...this.#tombstones.startingWith(prefix)].reduce((index, { index: at }) => Math.max(index, at), 0)
    return Math.max(newest, buried) || this.#tableIndex()
  }
}

function sameContent(left: Omit<KvRecord, 'createIndex' | 'modifyIndex'>, right: typeof left): boolean {
  return (
    left.lockIndex === right.lockIndex &&
    left.flags === right.flags &&
    left.session === right.session &&
    left.value.equals(right.value)
  )
}
