/** Consul writes durations as Go does (`1m30s`, `15s`, `250ms`). This is the only place that knows. */

/** The text that Consul accepts for a number of milliseconds. */
export function goDuration(valueMs: number): string {
  return valueMs % 1_000 === 0 ? `${valueMs / 1_000}s` : `${Math.max(1, Math.round(valueMs))}ms`
}

/** The longest duration of Go, whose nanoseconds fill 63 bits. One that only Consul keeps is not bound by a timer of Node.js. */
export const LONGEST_GO_DURATION_MS = 9_223_372_036_854

const UNITS_MS: Readonly<Record<string, number>> = {
  h: 3_600_000,
  m: 60_000,
  s: 1_000,
  ms: 1,
  us: 1e-3,
  µs: 1e-3,
  ns: 1e-6,
}

/** The milliseconds of Consul's text; undefined when it is none. */
export function parseGoDuration(text: string): number | undefined {
  const parts = [...text.matchAll(/(\d+(?:\.\d+)?)(h|ms|m|s|us|µs|ns)/g)]
  if (parts.length === 0 || parts.map(([part]) => part).join('') !== text) return undefined
  return parts.reduce((sum, [, amount, unit]) => sum + Number(amount) * (UNITS_MS[unit ?? ''] ?? 0), 0)
}
