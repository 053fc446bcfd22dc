import { Refusal } from '../wire/reply.js'

const MAX_UINT64 = 2n ** 64n - 1n

/**
 * An unsigned 64-bit number in a query.
 * @throws Refusal 500 in Go's words, as the real agent does.
 */
export function parseUnsigned(text: string): bigint {
  const quoted = JSON.stringify(text)
  if (!/^\d+$/.test(text)) throw new Refusal(500, `strconv.ParseUint: parsing ${quoted}: invalid syntax`)
  const value = BigInt(text)
  if (value > MAX_UINT64) throw new Refusal(500, `strconv.ParseUint: parsing ${quoted}: value out of range`)
  return value
}
