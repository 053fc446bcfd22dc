import { portHint } from './network-failure.js'
import {
  isProconsulError,
  ProconsulError,
  type ProconsulErrorCode,
  type ProconsulErrorReason,
} from './proconsul-error.js'

/**
 * Turns an answer that is not a success into a typed error. Consul says most of what matters in the body text, and the same condition
 * has different statuses over the versions, so the text is read where the status alone misleads.
 * The wording was taken from Consul 1.8.7 and the sources of later versions.
 */

/** An answer that is not a success. `body` is text, already freed of secrets. */
export interface HttpFailure {
  /** What was asked, such as `health.service`. */
  readonly operation: string
  readonly status: number
  readonly body: string
  readonly retryAfterMs?: number
  /** The address, as `http://host:port` or the path of a socket. */
  readonly target?: string
  /** Whether the request only reads, so that nothing can have been written. Default false. */
  readonly isRead?: boolean
  /** Whether something else than a Consul agent answered. Default false. */
  readonly isForeign?: boolean
}

interface Finding {
  readonly code: ProconsulErrorCode
  readonly advice: string
  readonly reason?: ProconsulErrorReason
}

interface Rule extends Finding {
  readonly matches: RegExp
}

/** The status is 403 where the agent itself looks the token up, and 500 where a server does so for it. */
const UNKNOWN_TOKEN: Rule = {
  matches: /ACL not found/i,
  code: 'PROCONSUL_PERMISSION_DENIED',
  advice:
    'Consul does not know this token: it was deleted, belongs to another cluster, or is so new that not every server has it',
  reason: 'unknown-token',
}

/** For the statuses 500 and 503; the first match counts. */
const SERVER_ERRORS: readonly Rule[] = [
  UNKNOWN_TOKEN,
  {
    matches: /Permission denied/i,
    code: 'PROCONSUL_PERMISSION_DENIED',
    advice: 'check the ACL token and its policies',
  },
  {
    matches: /does not have associated TTL|Unknown (?:check|service)|(?:CheckID|ServiceID) ".*" does not exist/i,
    code: 'PROCONSUL_NOT_FOUND',
    advice: 'the agent does not know this id',
  },
  {
    matches: /rate limit/i,
    code: 'PROCONSUL_RATE_LIMITED',
    advice: 'slow down and try again',
    reason: 'without-effect',
  },
  // The agent or a server had nobody to hand the request to. Consul's own client repeats writes after these.
  {
    matches: /No cluster leader|No known Consul servers|rpc error getting client:/i,
    code: 'PROCONSUL_NO_LEADER',
    advice: 'the servers behind the agent have no leader; it passes with an election',
    reason: 'without-effect',
  },
  {
    matches:
      /leadership lost|not the leader|rpc error making call:.*(?:EOF|connection|lead thread|deadline|timeout|shutdown)/i,
    code: 'PROCONSUL_NO_LEADER',
    advice: 'the servers behind the agent have no leader; it passes with an election',
  },
  {
    matches:
      /boolean expression evaluator|strconv\.|Invalid Session TTL|Invalid Behavior|invalid key name|ServiceID missing|CheckID missing|Missing check|invalid session|failed session lookup|is in critical state|Scripts are disabled|invalid (?:argument|index)/i,
    code: 'PROCONSUL_REJECTED',
    advice: 'the request itself is not acceptable',
  },
]

const BY_STATUS: Readonly<Record<number, Finding>> = {
  403: { code: 'PROCONSUL_PERMISSION_DENIED', advice: 'check the ACL token and its policies' },
  404: { code: 'PROCONSUL_NOT_FOUND', advice: 'the agent does not know it' },
  409: { code: 'PROCONSUL_CONFLICT', advice: 'read again and decide anew' },
  429: { code: 'PROCONSUL_RATE_LIMITED', advice: 'slow down and try again', reason: 'without-effect' },
}

/** The typed error for an unsuccessful answer. */
export function httpFailure(failure: HttpFailure): ProconsulError {
  const { operation, status, retryAfterMs, isForeign = false, isRead = false } = failure
  const { code, advice, reason } = isForeign ? foreign(failure) : classify(failure)
  const isInDoubt = !isRead && isAfterServer(code) && reason !== 'without-effect'
  const said = failure.body.trim()
  const who = isForeign ? 'what answers there said' : 'the agent answered'
  const what = said === '' ? `${status}` : `${status} "${cut(said)}"`
  const doubt = isInDoubt ? ', and a write may have happened all the same' : ''
  return new ProconsulError(code, `${operation}: ${who} ${what}; ${advice}${doubt}`, {
    status,
    ...(retryAfterMs !== undefined && { retryAfterMs }),
    ...(reason !== undefined && { reason }),
  })
}

/** Whether the failure came after the request had begun to be carried out. */
function isAfterServer(code: ProconsulErrorCode): boolean {
  return code === 'PROCONSUL_NO_LEADER' || code === 'PROCONSUL_UNAVAILABLE'
}

/** Something that is no agent answered: a web server, or a proxy that did not hand the request on. */
function foreign({ status, target = '' }: HttpFailure): Finding {
  const hint = portHint(target)
  if (status === 401 || status === 403) {
    const advice = `something in front of the agent refuses the request, not Consul's ACLs${hint}`
    return { code: 'PROCONSUL_PERMISSION_DENIED', advice }
  }
  if (status >= 500) return { code: 'PROCONSUL_UNAVAILABLE', advice: 'a proxy in front of the agent does not reach it' }
  return { code: 'PROCONSUL_BAD_RESPONSE', advice: `it is no Consul agent: check the address${hint}` }
}

/**
 * Whether the agent refused the token because Consul does not know it. For a token made a moment ago that passes by itself; a missing
 * permission does not.
 */
export function isUnknownToken(error: unknown): boolean {
  return isProconsulError(error, 'PROCONSUL_PERMISSION_DENIED') && error.reason === 'unknown-token'
}

function classify({ status, body }: HttpFailure): Finding {
  if (status === 403 && /blocked by agent configuration/i.test(body)) {
    return {
      code: 'PROCONSUL_PERMISSION_DENIED',
      advice: "the agent's http_config.block_endpoints forbids this path; no token helps",
    }
  }
  if (status === 403 && UNKNOWN_TOKEN.matches.test(body)) return UNKNOWN_TOKEN
  if (status === 400 && /HTTP request to an HTTPS server/i.test(body)) {
    return { code: 'PROCONSUL_TLS', advice: 'this port speaks TLS: the address needs https://' }
  }
  if (status >= 500) {
    return (
      SERVER_ERRORS.find((rule) => rule.matches.test(body)) ?? {
        code: 'PROCONSUL_UNAVAILABLE',
        advice: 'it may pass by itself',
      }
    )
  }
  if (status >= 300 && status < 400) {
    const advice = 'no call of Consul is redirected: does a proxy or a login page stand in front of the agent?'
    return { code: 'PROCONSUL_REJECTED', advice }
  }
  if (status === 401) {
    const advice = 'something in front of the agent asks for user and password: see the option `auth`'
    return { code: 'PROCONSUL_PERMISSION_DENIED', advice }
  }
  return BY_STATUS[status] ?? { code: 'PROCONSUL_REJECTED', advice: 'the request itself is not acceptable' }
}

const LONGEST_BODY = 300

function cut(text: string): string {
  return text.length > LONGEST_BODY ? `${text.slice(0, LONGEST_BODY)}…` : text
}
