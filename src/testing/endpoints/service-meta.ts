import { Refusal } from '../wire/reply.js'

const MAX_PAIRS = 64
const MAX_KEY_BYTES = 128
const MAX_VALUE_BYTES = 512

/**
 * Refuses metadata that the real agent refuses. Its limits count bytes, though its messages say characters.
 * @throws Refusal 400
 */
export function checkServiceMeta(meta: Readonly<Record<string, string>>): void {
  const problem = problemOf(meta)
  if (problem !== undefined) throw new Refusal(400, `Invalid Service Meta: ${problem}`)
}

function problemOf(meta: Readonly<Record<string, string>>): string | undefined {
  const pairs = Object.entries(meta)
  if (pairs.length > MAX_PAIRS) return `Node metadata cannot contain more than ${MAX_PAIRS} key/value pairs`
  for (const [key, value] of pairs) {
    const reason = reasonFor(key, value)
    if (reason !== undefined) return `Couldn't load metadata pair ('${key}', '${value}'): ${reason}`
  }
  return undefined
}

function reasonFor(key: string, value: string): string | undefined {
  if (key === '') return 'Key cannot be blank'
  if (!/^[A-Za-z0-9_-]+$/.test(key)) return 'Key contains invalid characters'
  if (Buffer.byteLength(key) > MAX_KEY_BYTES) return `Key is too long (limit: ${MAX_KEY_BYTES} characters)`
  if (key.startsWith('consul-')) return "Key prefix 'consul-' is reserved for internal use"
  if (Buffer.byteLength(value) > MAX_VALUE_BYTES) return `Value is too long (limit: ${MAX_VALUE_BYTES} characters)`
  return undefined
}
