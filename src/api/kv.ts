import { checkBoolean, checkString } from '../core/option-check.js'
import { invalidOption } from '../errors/invalid-option.js'
import type { HttpAnswer, HttpClient, QueryValue } from '../http/request.js'
import { kvDecoder, kvEntriesOf, kvEntry, type KvEncoding, type KvEntry } from './kv-entry.js'
import { checkKey, checkPrefix, keyPath } from './kv-key.js'
import { checkFlags, checkIndex, valueBytes } from './kv-value.js'
import { knownOptions, READ_OPTIONS, REQUEST_OPTIONS, type ReadOptions, type RequestOptions } from './options.js'
import { read, write, type ReadRequest } from './send.js'
import { booleanOf, listOf, type Answer } from './wire.js'

/** Options of a read of entries. */
export interface KvReadOptions extends ReadOptions {
  /** Default `'utf8'`, which changes bytes that are not UTF-8. */
  readonly encoding?: KvEncoding | undefined
}

/** Options of a read that hands over bytes. */
export interface KvBytesOptions extends KvReadOptions {
  readonly encoding: 'buffer'
}

/** Options of a read that hands over text. */
export interface KvTextOptions extends KvReadOptions {
  readonly encoding?: 'utf8' | 'base64' | undefined
}

/** Options of a read of names. */
export interface KvKeysOptions extends ReadOptions {
  /** Cut each key after the first occurrence of this text past the prefix, and name each result once: `/` lists one level. */
  readonly separator?: string | undefined
}

/** Options of a write. At most one of `cas`, `acquire` and `release`. */
export interface KvSetOptions extends RequestOptions {
  /** Write only if the key's `modifyIndex` is still this one; 0 writes only if there is no such key. */
  readonly cas?: number | undefined
  /** Default 0: a write without flags sets them back. */
  readonly flags?: number | bigint | undefined
  /** Write only if this session holds or gets the lock. */
  readonly acquire?: string | undefined
  /** Write only if this session holds the lock, and give it back. */
  readonly release?: string | undefined
}

/** Options of a delete. */
export interface KvDeleteOptions extends RequestOptions {
  /** Delete only if the key's `modifyIndex` is still this one. */
  readonly cas?: number | undefined
}

/** Options of a delete of a whole tree. */
export interface KvDeleteTreeOptions extends RequestOptions {
  /** Must be true for an empty prefix, which deletes every key there is. */
  readonly everything?: boolean | undefined
}

const ENTRY_OPTIONS = [...READ_OPTIONS, 'encoding'] as const
const KEYS_OPTIONS = [...READ_OPTIONS, 'separator'] as const
const SET_OPTIONS = [...REQUEST_OPTIONS, 'cas', 'flags', 'acquire', 'release'] as const
const DELETE_OPTIONS = [...REQUEST_OPTIONS, 'cas'] as const
const DELETE_TREE_OPTIONS = [...REQUEST_OPTIONS, 'everything'] as const

/** The KV store (https://developer.hashicorp.com/consul/api-docs/kv). Reads carry the index by which a watch goes on. */
export class KvApi {
  readonly #http: HttpClient

  constructor(http: HttpClient) {
    this.#http = http
  }

  /** One entry; undefined when there is no such key. One that the token may not read is `PROCONSUL_PERMISSION_DENIED`. */
  async get(key: string, options?: KvTextOptions): Promise<Answer<KvEntry | undefined>>
  async get(key: string, options: KvBytesOptions): Promise<Answer<KvEntry<Buffer> | undefined>>
  async get(key: string, options: KvReadOptions): Promise<Answer<KvEntry<string | Buffer> | undefined>>
  async get(key: string, options: KvReadOptions = {}): Promise<Answer<KvEntry<string | Buffer> | undefined>> {
    const path = keyPath(checkKey('key', key))
    const { value, meta } = await this.#entries('kv.get', path, {}, options)
    return { value: value[0], meta }
  }

  /**
   * Every entry whose key begins with `prefix`, in the order of the keys. The prefix is plain text: `app` also finds `apple`. What the
   * token may not read is left out.
   */
  async list(prefix: string, options?: KvTextOptions): Promise<Answer<readonly KvEntry[]>>
  async list(prefix: string, options: KvBytesOptions): Promise<Answer<readonly KvEntry<Buffer>[]>>
  async list(prefix: string, options: KvReadOptions): Promise<Answer<readonly KvEntry<string | Buffer>[]>>
  async list(prefix: string, options: KvReadOptions = {}): Promise<Answer<readonly KvEntry<string | Buffer>[]>> {
    return await this.#entries('kv.list', keyPath(checkPrefix('prefix', prefix)), { recurse: true }, options)
  }

  /** The names of the keys that begin with `prefix`, in order. More than `maxBytes` of them are `PROCONSUL_RESPONSE_TOO_LARGE`. */
  async keys(
    prefix: string,
    options: KvKeysOptions = {},
    limits: Pick<ReadRequest, 'maxBytes'> = {},
  ): Promise<Answer<readonly string[]>> {
    const { separator, ...rest } = knownOptions('kv.keys', options, KEYS_OPTIONS)
    const query = {
      keys: true,
      separator: separator === undefined ? undefined : checkString('separator', separator),
    }
    const answer = await this.#read('kv.keys', keyPath(checkPrefix('prefix', prefix)), query, rest, limits)
    return { value: answer.status === 404 ? [] : listOf<string>(answer), meta: answer.meta }
  }

  /**
   * Writes a value. True when it is written, false when `cas`, `acquire` or `release` did not hold. A conditional write is never
   * repeated after an unknown outcome.
   */
  async set(key: string, value: string | Uint8Array, options: KvSetOptions = {}): Promise<boolean> {
    const { cas, flags, acquire, release, ...rest } = knownOptions('kv.set', options, SET_OPTIONS)
    checkOneCondition({ cas, acquire, release })
    const answer = await write(this.#http, 'kv.set', keyPath(checkKey('key', key)), rest, {
      query: {
        cas: cas === undefined ? undefined : checkIndex('cas', cas),
        flags: flags === undefined ? undefined : checkFlags('flags', flags),
        acquire: acquire === undefined ? undefined : checkString('acquire', acquire),
        release: release === undefined ? undefined : checkString('release', release),
      },
      body: valueBytes('value', value),
      idempotent: (cas ?? acquire ?? release) === undefined,
    })
    return booleanOf(answer)
  }

  /** Deletes a key. True when there is none any more, false when `cas` did not hold. */
  async delete(key: string, options: KvDeleteOptions = {}): Promise<boolean> {
    const { cas, ...rest } = knownOptions('kv.delete', options, DELETE_OPTIONS)
    // Consul takes 0 as "never matches" here, which nobody can mean.
    if (cas === 0) throw invalidOption('cas', cas, 'the modifyIndex of a read')
    const answer = await write(this.#http, 'kv.delete', keyPath(checkKey('key', key)), rest, {
      method: 'DELETE',
      query: { cas: cas === undefined ? undefined : checkIndex('cas', cas) },
      idempotent: cas === undefined,
    })
    return booleanOf(answer)
  }

  /** Deletes every key that begins with `prefix`; end it with `/` unless names that go on differently are meant as well. */
  async deleteTree(prefix: string, options: KvDeleteTreeOptions = {}): Promise<void> {
    const { everything = false, ...rest } = knownOptions('kv.deleteTree', options, DELETE_TREE_OPTIONS)
    if (checkPrefix('prefix', prefix) === '' && !checkBoolean('everything', everything)) {
      throw invalidOption('prefix', prefix, 'a non-empty prefix, or { everything: true } to delete every key there is')
    }
    await write(this.#http, 'kv.deleteTree', keyPath(prefix), rest, {
      method: 'DELETE',
      query: { recurse: true },
      idempotent: true,
    })
  }

  async #entries(
    operation: string,
    path: string,
    query: Readonly<Record<string, QueryValue>>,
    options: KvReadOptions,
  ): Promise<Answer<readonly KvEntry<string | Buffer>[]>> {
    const { encoding = 'utf8', ...rest } = knownOptions(operation, options, ENTRY_OPTIONS)
    const decode = kvDecoder(encoding)
    const answer = await this.#read(operation, path, query, rest)
    // A missing key is 404 with an index: an answer like any other, on which a watch can block.
    const entries = answer.status === 404 ? [] : kvEntriesOf(answer)
    return { value: entries.map((entry) => kvEntry(entry, decode)), meta: answer.meta }
  }

  async #read(
    operation: string,
    path: string,
    query: Readonly<Record<string, QueryValue>>,
    options: ReadOptions,
    limits: Pick<ReadRequest, 'maxBytes'> = {},
  ): Promise<HttpAnswer> {
    return await read(this.#http, operation, path, options, { query, answers: [404], compress: 'off-host', ...limits })
  }
}

function checkOneCondition(conditions: Readonly<Record<string, unknown>>): void {
  const given = Object.keys(conditions).filter((name) => conditions[name] !== undefined)
  const [, second] = given
  if (second !== undefined) throw invalidOption(second, conditions[second], `only one of ${given.join(' and ')}`)
}
