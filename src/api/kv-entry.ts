import { checkOneOf } from '../core/option-check.js'
import type { HttpAnswer } from '../http/request.js'
import { listOf } from './wire.js'

/** The shape of an entry of the KV store, on the wire and outside. */

/** How a value is handed over: as text, as bytes, or as the base64 text in which it travels. */
export type KvEncoding = 'utf8' | 'buffer' | 'base64'

/** One key with its value (https://developer.hashicorp.com/consul/api-docs/kv). */
export interface KvEntry<Value = string> {
  readonly key: string
  readonly value: Value
  /** 64 bits for the application's own use. A bigint where a number would not be exact, that is above 2^53 - 1. */
  readonly flags: number | bigint
  readonly createIndex: number
  /** Raft index of the last change. What `cas` compares with. */
  readonly modifyIndex: number
  /** How often the key was locked. A plain write sets it back to 0, so it is no fencing token; `modifyIndex` is. */
  readonly lockIndex: number
  /** The session that holds the lock, if any. */
  readonly session?: string
}

/** An entry as the agent sends it; after a transaction's write it comes without its value. */
export interface WireKvEntry {
  readonly Key: string
  readonly Value?: string | null
  /** A number where that is exact, else its digits. */
  readonly Flags?: number | string
  readonly CreateIndex?: number
  readonly ModifyIndex?: number
  readonly LockIndex?: number
  readonly Session?: string
}

/** From the base64 text of the wire to what each encoding promises. */
export const KV_DECODERS = Object.freeze({
  utf8: decodeText,
  buffer: (encoded: string): Buffer => Buffer.from(encoded, 'base64'),
  base64: (encoded: string): string => encoded,
})

/** The decoder of an encoding that a caller named. */
export function kvDecoder(encoding: unknown): (encoded: string) => string | Buffer {
  return KV_DECODERS[checkOneOf('encoding', encoding, ['utf8', 'buffer', 'base64'])]
}

/** Most values are plain ASCII, which `atob` decodes in a third of the time: that counts for thousands of keys. */
function decodeText(encoded: string): string {
  const bytes = atob(encoded)
  return /[\u0080-\u00ff]/.test(bytes) ? Buffer.from(bytes, 'latin1').toString('utf8') : bytes
}

/** The entry with its value decoded. */
export function kvEntry<Value>(wire: WireKvEntry, decode: (encoded: string) => Value): KvEntry<Value> {
  const entry = {
    key: wire.Key,
    value: decode(wire.Value ?? ''),
    flags: exactFlags(wire.Flags ?? 0),
    createIndex: wire.CreateIndex ?? 0,
    modifyIndex: wire.ModifyIndex ?? 0,
    lockIndex: wire.LockIndex ?? 0,
  }
  const { Session: session } = wire
  // A spread in the literal would cost more than all the rest, times the thousands of entries of a list.
  return session === undefined || session === '' ? entry : { ...entry, session }
}

/** The entries of an answer. */
export function kvEntriesOf(answer: HttpAnswer): readonly WireKvEntry[] {
  const entries = listOf<WireKvEntry>(answer)
  return entries.some(hasInexactFlags) ? listOf<WireKvEntry>(withExactFlags(answer)) : entries
}

/** Whether JSON.parse has rounded the entry's flags. */
export function hasInexactFlags({ Flags: flags }: WireKvEntry): boolean {
  return typeof flags === 'number' && !Number.isSafeInteger(flags)
}

/** The answer with the digits of every long `Flags` in quotes. Inside a JSON string no quote stands bare, so only properties match. */
export function withExactFlags(answer: HttpAnswer): HttpAnswer {
  const text = answer.body.toString('utf8').replace(/"Flags":\s*(\d{16,})/g, '"Flags":"$1"')
  return { ...answer, body: Buffer.from(text) }
}

function exactFlags(flags: number | string): number | bigint {
  if (typeof flags === 'number') return flags
  const exact = BigInt(flags)
  return exact > BigInt(Number.MAX_SAFE_INTEGER) ? exact : Number(exact)
}
