import { createHash } from 'node:crypto'

/**
 * The identity of a query, from all that tells it apart from others. It is shown in messages and in the debug view, so a field named
 * `token` goes into it as a fingerprint.
 */
export function queryKey(...parts: readonly unknown[]): string {
  return JSON.stringify(parts, (name, value: unknown) =>
    name === 'token' && typeof value === 'string' ? fingerprint(value) : value,
  )
}

function fingerprint(secret: string): string {
  return createHash('sha256').update(secret).digest('base64url').slice(0, 16)
}
