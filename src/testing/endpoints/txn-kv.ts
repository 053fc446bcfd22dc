import type { KvRecord } from '../state/kv.js'
import type { StateStore } from '../state/state-store.js'
import type { Transaction } from '../state/transaction.js'
import { encodeValue, kvJson } from './kv.js'
import { MALFORMED_SESSION, UUID_LENGTH } from './session-lookup.js'

/** One operation of a transaction. */
export interface KvOperation {
  readonly verb: string
  readonly key: string
  readonly value: Buffer
  readonly flags: bigint
  readonly index: bigint
  readonly session: string
}

/** One result of a transaction. */
export interface KvOutcome {
  readonly key: string
  readonly json: object
}

/** Runs one operation. A text is the reason why it failed. */
export function runKvOperation(
  store: StateStore,
  tx: Transaction,
  operation: KvOperation,
): readonly KvOutcome[] | string {
  const { kv } = store
  const { verb, key, index } = operation
  const quoted = JSON.stringify(key)
  const missing = `key ${quoted} doesn't exist`
  const record = kv.get(key)
  switch (verb) {
    case 'set':
      return written(kv.set(tx, operation))
    case 'cas': {
      const done = kv.setIf(tx, operation, index)
      return done === undefined ? `failed to set key ${quoted}, index is stale` : written(done)
    }
    case 'lock':
      return lock(store, tx, operation)
    case 'unlock': {
      const done = kv.unlock(tx, operation, operation.session)
      return done === undefined
        ? `failed to unlock key ${quoted}, lock isn't held, or is held by another session`
        : written(done)
    }
    case 'get':
      return record === undefined ? missing : [shown(record)]
    case 'get-tree':
      return kv.list(key).value.map(shown)
    case 'check-index':
      if (record === undefined) return `failed to check index, ${missing}`
      return BigInt(record.modifyIndex) === index
        ? written(record)
        : `failed index check for key ${quoted}, current modify index ${record.modifyIndex} != ${index.toString()}`
    case 'check-session':
      if (record === undefined) return `failed to check session, ${missing}`
      if (record.session === operation.session) return written(record)
      return `failed session check for key ${quoted}, current session ${JSON.stringify(record.session)} != ${JSON.stringify(operation.session)}`
    case 'check-not-exists':
      return record === undefined ? [] : `key ${quoted} exists`
    case 'delete':
      kv.delete(tx, key)
      return []
    case 'delete-cas':
      return kv.deleteIf(tx, key, index) ? [] : `failed to delete key ${quoted}, index is stale`
    case 'delete-tree':
      kv.deleteTree(tx, key)
      return []
    default:
      return `unknown KV verb ${JSON.stringify(verb)}`
  }
}

function lock(store: StateStore, tx: Transaction, operation: KvOperation): readonly KvOutcome[] | string {
  const quoted = JSON.stringify(operation.key)
  if (operation.session.length !== UUID_LENGTH) return MALFORMED_SESSION
  if (store.sessions.get(operation.session) === undefined) return `invalid session ${JSON.stringify(operation.session)}`
  if (store.sessions.isDelayed(operation.key)) return `key ${quoted} is locked`
  const done = store.kv.lock(tx, operation, operation.session)
  return done === undefined ? `failed to lock key ${quoted}, lock is already held` : written(done)
}

/** Writes do not repeat the value. */
function written(record: KvRecord): readonly KvOutcome[] {
  return [{ key: record.key, json: kvJson(record, null) }]
}

function shown(record: KvRecord): KvOutcome {
  return { key: record.key, json: kvJson(record, encodeValue(record.value)) }
}
