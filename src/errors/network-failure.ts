import { ProconsulError, type ProconsulErrorCode, type ProconsulErrorReason } from './proconsul-error.js'

/** Codes of Node.js for a connection that was never made, so that nothing of the request can have had an effect. */
const NEVER_CONNECTED = new Set([
  'ECONNREFUSED',
  'ENOTFOUND',
  'EAI_AGAIN',
  'EHOSTUNREACH',
  'ENETUNREACH',
  'ENOENT',
  'EACCES',
])

const TLS_CODE = /^(?:ERR_TLS|ERR_SSL|UNABLE_TO|CERT_|SELF_SIGNED|DEPTH_ZERO|EPROTO)/

/** OpenSSL finds text where a record of TLS should begin: it says so in one of these ways, depending on the text. */
const PLAIN_ANSWER = /wrong.version.number|packet.length.too.long|http.request|unknown.protocol|record.layer.failure/i

/** The first byte of a TLS record that is an alert: how a port of TLS answers plain HTTP, where it answers at all. */
const TLS_ALERT = 0x15

interface Finding {
  readonly code: ProconsulErrorCode
  readonly advice: string
  readonly reason?: ProconsulErrorReason
}

/**
 * The typed error for a request that got no answer: refused, reset, name not found, TLS. Of the original only code and message are kept.
 * @param operation what was asked, such as `kv.get`
 * @param target the address, as `http://host:port` or the path of a socket
 * @param isRead whether the request only reads, so that nothing can have been written
 */
export function networkFailure(operation: string, target: string, error: unknown, isRead = false): ProconsulError {
  const systemCode = codeOf(error)
  const text = error instanceof Error ? error.message : String(error)
  const { code, advice, reason } = classify({ systemCode, text, target, isSpeakingTls: beganWithAlert(error), isRead })
  const cause = Object.assign(new Error(text), systemCode === undefined ? {} : { code: systemCode })
  const message = `${operation}: no answer from ${target} (${systemCode ?? text}); ${advice}`
  return new ProconsulError(code, message, { cause, ...(reason !== undefined && { reason }) })
}

/** Whether the failure is one in which the request cannot have reached the agent, so that repeating it is safe. */
export function neverConnected(error: ProconsulError): boolean {
  const systemCode = codeOf(error.cause)
  return systemCode !== undefined && NEVER_CONNECTED.has(systemCode)
}

/** Whether a connection was there and ended before an answer began. */
export function lostConnection(error: ProconsulError): boolean {
  const systemCode = codeOf(error.cause)
  return systemCode === 'ECONNRESET' || systemCode === 'EPIPE'
}

/**
 * `; …` for an address that names no port: then the scheme's own was meant, which nobody expects who writes `CONSUL_HTTP_ADDR=localhost`.
 * Empty for any other.
 */
export function portHint(target: string): string {
  const [, scheme, authority = ''] = /^(https?):\/\/([^/]*)/.exec(target) ?? []
  if (scheme === undefined || /:\d+$/.test(authority)) return ''
  const [port, usual] = scheme === 'https' ? [443, 8501] : [80, 8500]
  return `; the address names no port, so it was ${port}: Consul's own is ${usual}`
}

function codeOf(error: unknown): string | undefined {
  return error instanceof Error && 'code' in error && typeof error.code === 'string' ? error.code : undefined
}

interface Facts {
  readonly systemCode: string | undefined
  readonly text: string
  readonly target: string
  readonly isSpeakingTls: boolean
  readonly isRead: boolean
}

function classify({ systemCode, text, target, isSpeakingTls, isRead }: Facts): Finding {
  if (systemCode !== undefined && TLS_CODE.test(systemCode)) {
    const advice = PLAIN_ANSWER.test(`${systemCode} ${text}`)
      ? 'what answers there does not speak TLS: the address needs http://, or the port on which the agent speaks https'
      : 'check the CA, the client certificate and the server name'
    return { code: 'PROCONSUL_TLS', advice: advice + portHint(target) }
  }
  if (systemCode !== undefined && NEVER_CONNECTED.has(systemCode)) {
    const advice = `is the agent running at this address?${portHint(target)}`
    return { code: 'PROCONSUL_UNAVAILABLE', advice, reason: 'without-effect' }
  }
  if (isSpeakingTls) {
    return { code: 'PROCONSUL_TLS', advice: 'what answers there speaks TLS: the address needs https://' }
  }
  if (systemCode?.startsWith('HPE_') === true || text.includes('Parse Error')) {
    return { code: 'PROCONSUL_BAD_RESPONSE', advice: `what answers there does not speak HTTP${portHint(target)}` }
  }
  const lost = 'the connection was lost'
  return { code: 'PROCONSUL_UNAVAILABLE', advice: isRead ? lost : `${lost}; a write may have happened all the same` }
}

/** Whether the parser of Node.js met a TLS alert in place of HTTP. */
function beganWithAlert(error: unknown): boolean {
  if (!(error instanceof Error) || !('rawPacket' in error)) return false
  const { rawPacket } = error
  return rawPacket instanceof Uint8Array && rawPacket[0] === TLS_ALERT
}
