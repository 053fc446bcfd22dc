import { Refusal } from '../wire/reply.js'
import type { SessionRecord } from '../state/sessions.js'
import type { StateStore } from '../state/state-store.js'

/** How long a session id is. */
export const UUID_LENGTH = 36
/** What is said of a session id of another length. */
export const MALFORMED_SESSION = 'failed session lookup: index error: UUID must be 36 characters'

/**
 * A session by id.
 * @throws Refusal 500 when the text is no id.
 */
export function findSession(store: StateStore, id: string): SessionRecord | undefined {
  if (id.length !== UUID_LENGTH) {
    throw new Refusal(500, MALFORMED_SESSION)
  }
  return store.sessions.get(id)
}

/**
 * A session that must be there.
 * @throws Refusal 500 `invalid session "<id>"`
 */
export function requireSession(store: StateStore, id: string): SessionRecord {
  const session = findSession(store, id)
  if (session === undefined) throw new Refusal(500, `invalid session ${JSON.stringify(id)}`)
  return session
}
