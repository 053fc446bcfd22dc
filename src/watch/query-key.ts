import { createHash } from 'node:crypto'

/**
 * The identity of a query, from all that tells it apart from others. Options that are undefined count as absent, and their order does
 * not matter. The key is shown in messages and in the debug view, so a field named `token` goes into it as a fingerprint.
 */
export function queryKey(...parts: readonly unknown[]): string {
  return JSON.stringify(parts, (name, value: unknown) => {
    if (name === 'token' && typeof value === 'string') return fingerprint(value)
    return isPlainObject(value) ? sorted(value) : value
  })
}

function isPlainObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

function sorted(value: Readonly<Record<string, unknown>>): Readonly<Record<string, unknown>> {
  return Object.fromEntries(Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1)))
}

function fingerprint(secret: string): string {
  return createHash('sha256').update(secret).digest('base64url').slice(0, 16)
}
