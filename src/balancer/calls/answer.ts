import { isRecord } from '../../core/option-check.js'
import { mayPassElsewhere, statusOf } from '../retries/failure.js'

/**
 * Answers of HTTP clients that do not reject for a status, such as `fetch`: an object with `status` or `statusCode`, and `headers`. Any
 * other value is as good as another.
 */

/** Whether it says that the instance cannot serve at present. */
export function isBadAnswer(value: unknown): boolean {
  try {
    if (!isRecord(value) || !isRecord(value['headers'])) return false
    const status = statusOf({ status: value['status'], statusCode: value['statusCode'] })
    return status !== undefined && status >= 400 && mayPassElsewhere({ status })
  } catch {
    return false
  }
}

/** Lets go of the connection of an answer that nobody reads. */
export function discard(value: unknown): void {
  try {
    const body: unknown = isRecord(value) ? value['body'] : undefined
    if (!isRecord(body)) return
    // A stream of the web, then one of Node.js.
    const end = body['cancel'] ?? body['destroy']
    if (typeof end !== 'function') return
    // Destroyed by us, it may say so in an error that nobody waits for.
    if (body['cancel'] === undefined && typeof body['on'] === 'function') {
      Reflect.apply(body['on'], body, ['error', () => undefined])
    }
    Promise.resolve(Reflect.apply(end, body, [])).catch(() => undefined)
  } catch {
    // Whose body it is decides what it throws.
  }
}
