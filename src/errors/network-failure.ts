import { ProconsulError, type ProconsulErrorCode } from './proconsul-error.js'

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

/** The typed error for a request that got no answer: refused, reset, name not found, TLS. Keeps only the code and the plain message. */
export function networkFailure(operation: string, target: string, error: unknown): ProconsulError {
  const systemCode = codeOf(error)
  const text = error instanceof Error ? error.message : String(error)
  const { code, advice } = classify(systemCode, text)
  const cause = Object.assign(new Error(text), systemCode === undefined ? {} : { code: systemCode })
  return new ProconsulError(code, `${operation}: no answer from ${target} (${systemCode ?? text}); ${advice}`, {
    cause,
  })
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

function codeOf(error: unknown): string | undefined {
  return error instanceof Error && 'code' in error && typeof error.code === 'string' ? error.code : undefined
}

function classify(systemCode: string | undefined, text: string): { code: ProconsulErrorCode; advice: string } {
  if (systemCode !== undefined && TLS_CODE.test(systemCode)) {
    return { code: 'PROCONSUL_TLS', advice: 'check the CA, the client certificate and the server name' }
  }
  if (systemCode !== undefined && NEVER_CONNECTED.has(systemCode)) {
    return { code: 'PROCONSUL_UNAVAILABLE', advice: 'is the agent running at this address?' }
  }
  if (systemCode?.startsWith('HPE_') === true || text.includes('Parse Error')) {
    return { code: 'PROCONSUL_BAD_RESPONSE', advice: 'what answers there does not speak HTTP' }
  }
  return { code: 'PROCONSUL_UNAVAILABLE', advice: 'the connection was lost; a write may have happened all the same' }
}
