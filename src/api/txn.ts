import { checkInteger, checkObject, checkString } from '../core/option-check.js'
import { invalidOption } from '../errors/invalid-option.js'
import { ProconsulError } from '../errors/proconsul-error.js'
import type { HttpAnswer, HttpClient } from '../http/request.js'
import { hasInexactFlags, KV_DECODERS, kvDecoder, kvEntry, withExactFlags } from './kv-entry.js'
import type { KvEncoding, KvEntry, WireKvEntry } from './kv-entry.js'
import { checkKey, checkPrefix } from './kv-key.js'
import { KV_MAX_VALUE_BYTES, checkFlags, checkIndex, valueBytes } from './kv-value.js'
import { knownOptions, REQUEST_OPTIONS, type RequestOptions } from './options.js'
import { write } from './send.js'
import { objectOf, type WireList } from './wire.js'

/** One step of a transaction. All steps are carried out, or none is. */
export type TxnOperation =
  | { readonly type: 'set'; readonly key: string; readonly value: KvInput; readonly flags?: number | bigint }
  /** Writes if the key's `modifyIndex` is `index`; 0 if there is no such key. */
  | (CasStep & { readonly type: 'cas' })
  | (LockStep & { readonly type: 'lock' | 'unlock' })
  /** Fails the transaction when there is no such key. */
  | { readonly type: 'get' | 'delete' | 'check-not-exists'; readonly key: string }
  | { readonly type: 'get-tree' | 'delete-tree'; readonly prefix: string }
  | { readonly type: 'check-index' | 'delete-cas'; readonly key: string; readonly index: number }
  | { readonly type: 'check-session'; readonly key: string; readonly session: string }

type KvInput = string | Uint8Array

interface CasStep {
  readonly key: string
  readonly value: KvInput
  readonly index: number
  readonly flags?: number | bigint
}

interface LockStep {
  readonly key: string
  readonly value: KvInput
  readonly session: string
  readonly flags?: number | bigint
}

/** Why a step did not hold. */
export interface TxnFailure {
  /** Position of the step in the transaction. */
  readonly step: number
  /** In the agent's words. */
  readonly reason: string
}

/** The outcome of a transaction. */
export type TxnResult<Value = string> =
  /** `entries`: what the reads found, and of what was written key and indexes (its value is empty). */
  | { readonly committed: true; readonly entries: readonly KvEntry<Value>[] }
  | { readonly committed: false; readonly failures: readonly TxnFailure[] }

/** Options of a transaction. */
export interface TxnOptions extends RequestOptions {
  /** How many steps the agent takes: 64 up to Consul 1.13, 128 since 1.14. Default {@link TXN_MAX_OPERATIONS}. */
  readonly maxOperations?: number | undefined
  /** Of the values that were read. Default `'utf8'`, which changes bytes that are not UTF-8. */
  readonly encoding?: KvEncoding | undefined
}

/** Options of a transaction that hands over bytes. */
export interface TxnBytesOptions extends TxnOptions {
  readonly encoding: 'buffer'
}

/** Options of a transaction that hands over text. */
export interface TxnTextOptions extends TxnOptions {
  readonly encoding?: 'utf8' | 'base64' | undefined
}

/** What every version takes (hashicorp/consul#14599 raised it in 1.14). */
export const TXN_MAX_OPERATIONS = 64

/** Consul's default `txn_max_req_len`, in bytes of the request's JSON. */
export const TXN_MAX_REQUEST_BYTES = KV_MAX_VALUE_BYTES

const STEP_FIELDS = ['type', 'key', 'prefix', 'value', 'flags', 'index', 'session']

const TXN_OPTIONS = [...REQUEST_OPTIONS, 'maxOperations', 'encoding'] as const

const READS: readonly TxnOperation['type'][] = ['get', 'get-tree', 'check-index', 'check-session', 'check-not-exists']

interface WireTxn {
  readonly Results?: WireList<{ readonly KV?: WireKvEntry }>
  readonly Errors?: WireList<{ readonly OpIndex: number; readonly What: string }>
}

/** Transactions over the KV store (https://developer.hashicorp.com/consul/api-docs/txn). */
export class TxnApi {
  readonly #http: HttpClient

  constructor(http: HttpClient) {
    this.#http = http
  }

  /**
   * Carries out the steps as one, in order. One that only reads is one consistent look at all it names. One that writes is never
   * repeated after an unknown outcome.
   * @throws ProconsulError `PROCONSUL_INVALID_OPTION` when it is over a limit; `PROCONSUL_PERMISSION_DENIED` when the token does not
   * permit a step.
   */
  async run(operations: readonly TxnOperation[], options?: TxnTextOptions): Promise<TxnResult>
  async run(operations: readonly TxnOperation[], options: TxnBytesOptions): Promise<TxnResult<Buffer>>
  async run(operations: readonly TxnOperation[], options: TxnOptions): Promise<TxnResult<string | Buffer>>
  async run(operations: readonly TxnOperation[], options: TxnOptions = {}): Promise<TxnResult<string | Buffer>> {
    const {
      maxOperations = TXN_MAX_OPERATIONS,
      encoding = 'utf8',
      ...rest
    } = knownOptions('kv.transaction', options, TXN_OPTIONS)
    const decode = kvDecoder(encoding)
    checkInteger('maxOperations', maxOperations, 1, 128)
    if (!Array.isArray(operations)) throw invalidOption('operations', operations, 'a list of steps')
    if (operations.length > maxOperations) {
      throw invalidOption(
        'operations',
        operations,
        `at most ${maxOperations} in one transaction; split them, or see maxOperations`,
      )
    }
    if (operations.length === 0) return { committed: true, entries: [] }
    const answer = await this.#send(operations, rest)
    if (answer.status === 409) return { committed: false, failures: failuresOf(answer) }
    return { committed: true, entries: entriesOf(answer).map((entry) => kvEntry(entry, decode)) }
  }

  /**
   * One consistent look at several trees: every entry whose key begins with one of the prefixes, prefix by prefix, its value as base64
   * text. What the token may not read is left out. At most {@link TXN_MAX_OPERATIONS} prefixes.
   */
  async trees(prefixes: readonly string[], options: RequestOptions = {}): Promise<readonly KvEntry[]> {
    const operations = prefixes.map((prefix) => ({ type: 'get-tree', prefix }) as const)
    const answer = await this.#send(operations, knownOptions('txn.trees', options, REQUEST_OPTIONS))
    const [failure] = answer.status === 409 ? failuresOf(answer) : []
    if (failure !== undefined) {
      throw new ProconsulError('PROCONSUL_REJECTED', `txn: step ${failure.step} failed: ${failure.reason}`, {
        status: 409,
      })
    }
    return entriesOf(answer).map((entry) => kvEntry(entry, KV_DECODERS.base64))
  }

  async #send(operations: readonly TxnOperation[], options: RequestOptions): Promise<HttpAnswer> {
    const body = requestBody(operations)
    const readsOnly = operations.every(({ type }) => READS.includes(type))
    return await write(this.#http, 'txn', '/txn', options, {
      body,
      idempotent: readsOnly,
      writes: !readsOnly,
      answers: [409],
      compress: 'off-host',
    })
  }
}

function requestBody(operations: readonly TxnOperation[]): Buffer {
  const steps = operations.map((operation, index) => `{"KV":${wireStep(`operations[${index}]`, operation)}}`)
  const body = Buffer.from(`[${steps.join(',')}]`)
  if (body.length > TXN_MAX_REQUEST_BYTES) {
    const expected = `at most ${TXN_MAX_REQUEST_BYTES} bytes in one transaction (a value takes four thirds of its size); split it`
    throw invalidOption('operations', `${body.length} bytes`, expected)
  }
  return body
}

/** The step as JSON text: flags above 2^53 - 1 are digits that no JSON.stringify would write. */
function wireStep(option: string, operation: TxnOperation): string {
  checkObject(option, operation, STEP_FIELDS)
  const { flags, ...step } = wireParts(option, operation)
  const text = JSON.stringify(step)
  return flags === undefined ? text : `${text.slice(0, -1)},"Flags":${flags.toString()}}`
}

interface WireStep {
  readonly Verb: string
  readonly Key: string
  readonly Value?: string
  readonly Index?: number
  readonly Session?: string
  readonly flags?: number | bigint
}

function wireParts(option: string, operation: TxnOperation): WireStep {
  if ('prefix' in operation) return { Verb: operation.type, Key: checkTree(`${option}.prefix`, operation.prefix) }
  const key = { Verb: operation.type, Key: checkKey(`${option}.key`, operation.key) }
  switch (operation.type) {
    case 'set':
      return { ...key, ...written(option, operation) }
    case 'cas':
      return { ...key, ...written(option, operation), Index: checkIndex(`${option}.index`, operation.index) }
    case 'lock':
    case 'unlock':
      return { ...key, ...written(option, operation), Session: checkString(`${option}.session`, operation.session) }
    case 'check-index':
    case 'delete-cas':
      return { ...key, Index: checkIndex(`${option}.index`, operation.index) }
    case 'check-session':
      return { ...key, Session: checkString(`${option}.session`, operation.session) }
    case 'get':
    case 'delete':
    case 'check-not-exists':
      return key
    default:
      throw invalidOption(
        option,
        operation satisfies never,
        'an object whose type is one of the steps of a transaction',
      )
  }
}

/** A transaction refuses an empty key, which no plain read does; so nobody can delete everything with one. */
function checkTree(option: string, prefix: unknown): string {
  if (prefix === '') throw invalidOption(option, prefix, 'a non-empty prefix')
  return checkPrefix(option, prefix)
}

function written(option: string, { value, flags }: { value: KvInput; flags?: number | bigint }): Partial<WireStep> {
  return {
    Value: valueBytes(`${option}.value`, value).toString('base64'),
    ...(flags !== undefined && { flags: checkFlags(`${option}.flags`, flags) }),
  }
}

/** The entries of a transaction that was committed. */
function entriesOf(answer: HttpAnswer): readonly WireKvEntry[] {
  const found = parsedEntries(answer)
  return found.some(hasInexactFlags) ? parsedEntries(withExactFlags(answer)) : found
}

function parsedEntries(answer: HttpAnswer): readonly WireKvEntry[] {
  const { Results } = objectOf<WireTxn>(answer)
  return (Results ?? []).flatMap(({ KV: entry }) => (entry === undefined ? [] : [entry]))
}

function failuresOf(answer: HttpAnswer): readonly TxnFailure[] {
  const errors = objectOf<WireTxn>(answer).Errors ?? []
  const denied = errors.find(({ What }) => What.includes('Permission denied'))
  if (denied !== undefined) {
    const message = `txn: the agent answered 409 "${denied.What}" for step ${denied.OpIndex}; check the ACL token and its policies`
    throw new ProconsulError('PROCONSUL_PERMISSION_DENIED', message, { status: 409 })
  }
  return errors.map(({ OpIndex, What }) => ({ step: OpIndex, reason: What }))
}
