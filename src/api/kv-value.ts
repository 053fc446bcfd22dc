import { invalidOption } from '../errors/invalid-option.js'

/**
 * The largest value in bytes: Consul's default `kv_max_value_size`. Checked here as well, because old agents do not limit every way of
 * sending one. (https://developer.hashicorp.com/consul/docs/reference/agent/configuration-file/general)
 */
export const KV_MAX_VALUE_BYTES = 512 * 1024

const LARGEST_FLAGS = 2n ** 64n - 1n

/** The bytes of a value, text as UTF-8. Throws `PROCONSUL_INVALID_OPTION` when it is neither text nor bytes, or too large. */
export function valueBytes(option: string, value: unknown): Buffer {
  if (typeof value !== 'string' && !(value instanceof Uint8Array)) {
    throw invalidOption(option, value, 'a string or a Uint8Array; give an object as JSON text')
  }
  const bytes = typeof value === 'string' ? Buffer.from(value, 'utf8') : Buffer.from(value)
  if (bytes.length > KV_MAX_VALUE_BYTES) {
    throw invalidOption(
      option,
      `${bytes.length} bytes`,
      `at most ${KV_MAX_VALUE_BYTES} bytes, Consul's limit for one value`,
    )
  }
  return bytes
}

/** Flags as they go over the wire. Throws `PROCONSUL_INVALID_OPTION` unless they are whole, exact and within 64 bits. */
export function checkFlags(option: string, flags: unknown): number | bigint {
  const isWhole = typeof flags === 'bigint' || (typeof flags === 'number' && Number.isSafeInteger(flags))
  if (!isWhole || flags < 0 || flags > LARGEST_FLAGS) {
    throw invalidOption(option, flags, 'a whole number from 0 to 2^64 - 1, as a bigint above 2^53 - 1')
  }
  return flags
}

/** An index to compare with. Throws `PROCONSUL_INVALID_OPTION` unless it is whole and not negative. */
export function checkIndex(option: string, index: unknown): number {
  if (typeof index !== 'number' || !Number.isSafeInteger(index) || index < 0) {
    throw invalidOption(option, index, 'the modifyIndex of a read, or 0 for "only when there is none"')
  }
  return index
}
