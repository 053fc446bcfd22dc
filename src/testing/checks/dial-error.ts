const REASONS: Readonly<Record<string, string>> = {
  ECONNREFUSED: 'connect: connection refused',
  EHOSTUNREACH: 'connect: no route to host',
  ENETUNREACH: 'connect: network is unreachable',
  ECONNRESET: 'read: connection reset by peer',
}

/** Why a connection could not be made, as Go says it. */
export function dialError(error: unknown, host: string): string {
  const code = error instanceof Error && 'code' in error && typeof error.code === 'string' ? error.code : undefined
  if (code === 'ENOTFOUND') return `dial tcp: lookup ${host.replace(/:\d+$/, '')}: no such host`
  const reason = code === undefined ? undefined : REASONS[code]
  if (reason !== undefined) return `dial tcp ${host}: ${reason}`
  return error instanceof Error ? error.message : String(error)
}
