import type { IncomingHttpHeaders } from 'node:http'

/** What an answer shows of who sent it. */
export interface AnswerFacts {
  readonly status: number
  readonly headers: IncomingHttpHeaders
  readonly body: string
}

/** How Consul begins to say that it does not know something. Its other 404s have no body at all. */
const CONSUL_404 =
  /^\s*(?:unknown (?:service|check)|no (?:service|check) registered|session id|query not found|service(?:id|name)\b)/i

/**
 * Whether something else than a Consul agent sent the answer: a web server or a proxy at this address. An agent has headers of its own,
 * or speaks in its own words; it never sends HTML below `/v1` but for a redirect.
 */
export function isForeign({ status, headers, body }: AnswerFacts): boolean {
  if (Object.keys(headers).some((name) => name.startsWith('x-consul-'))) return false
  if (isRedirect(status)) return false
  if (/^\s*text\/html/i.test(headers['content-type'] ?? '') || /^\s*<(?:!doctype|html)/i.test(body)) return true
  return status === 404 && body !== '' && !CONSUL_404.test(body)
}

function isRedirect(status: number): boolean {
  return status >= 300 && status < 400
}
