import { inspect } from 'node:util'

/**
 * What users' code throws or returns is data: it may be no `Error`, have a `message` that is no text, or throw when it is looked at.
 * Nothing here throws.
 */

/** The message of something thrown, for people. */
export function thrownText(thrown: unknown): string {
  try {
    if (typeof thrown === 'string') return thrown
    const message: unknown = thrown instanceof Error ? thrown.message : undefined
    return typeof message === 'string' && message !== ''
      ? message
      : inspect(thrown, { depth: 1, breakLength: Infinity })
  } catch {
    return 'something that cannot be shown'
  }
}

/** Whether a value is a promise, or behaves like one. */
export function isThenable(value: unknown): value is PromiseLike<unknown> {
  try {
    return (
      ((typeof value === 'object' && value !== null) || typeof value === 'function') &&
      'then' in value &&
      typeof value.then === 'function'
    )
  } catch {
    return false
  }
}
