import { inspect, types } from 'node:util'

/**
 * What users' code throws or returns is data: it may be no `Error`, have a `message` that is no text, or throw when it is looked at.
 * Nothing here throws.
 */

/** The message of something thrown, for people: one line or a few, never a stack. */
export function thrownText(thrown: unknown): string {
  try {
    if (typeof thrown === 'string') return thrown
    return isError(thrown) ? errorText(thrown) : show(thrown)
  } catch {
    return 'something that cannot be shown'
  }
}

/** Several failed connections are one error without a message; then its code says more than its name. */
function errorText(error: Error): string {
  const message: unknown = error.message
  if (typeof message !== 'string' && message !== undefined) return show(message)
  const texts = [message, 'code' in error ? error.code : undefined, error.name]
  const text = texts.find((candidate) => typeof candidate === 'string' && candidate !== '')
  return typeof text === 'string' ? text : 'Error'
}

function show(value: unknown): string {
  return inspect(value, { depth: 1, breakLength: Infinity })
}

/** Whether a value is an `Error`, of whatever realm: a test runner has one of its own. Throws as a revoked proxy does. */
export function isError(value: unknown): value is Error {
  return types.isNativeError(value) || value instanceof Error
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
