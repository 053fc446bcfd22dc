/**
 * Durations as Go writes and reads them, which Consul uses on the wire: `1.5s`, `1m0s`, `300ms`, `1ns`. Not the SDK's own `Duration`.
 */

const UNITS_NS: Readonly<Record<string, number>> = {
  ns: 1,
  us: 1e3,
  µs: 1e3,
  μs: 1e3,
  ms: 1e6,
  s: 1e9,
  m: 60e9,
  h: 3600e9,
}

/** Nanoseconds in one millisecond. */
export const NS_PER_MS = 1e6

/** What a text that is no duration says about itself, in Go's words. */
export class GoDurationError extends Error {
  override readonly name = 'GoDurationError'
}

/**
 * The nanoseconds of a Go duration.
 * @throws GoDurationError in Go's own words: `time: invalid duration "abc"`.
 */
export function parseGoDuration(text: string): number {
  const sign = text.startsWith('-') ? -1 : 1
  const unsigned = text.replace(/^[+-]/, '')
  if (unsigned === '0') return 0
  if (unsigned === '') throw new GoDurationError(`time: invalid duration ${JSON.stringify(text)}`)
  let totalNs = 0
  let rest = unsigned
  while (rest !== '') {
    const [matched, amount] = /^(\d+(?:\.\d*)?|\.\d+)/.exec(rest) ?? []
    if (matched === undefined) throw new GoDurationError(`time: invalid duration ${JSON.stringify(text)}`)
    rest = rest.slice(matched.length)
    const unit = /^[^\d.]+/.exec(rest)?.[0]
    if (unit === undefined) throw new GoDurationError(`time: missing unit in duration ${JSON.stringify(text)}`)
    const unitNs = UNITS_NS[unit]
    if (unitNs === undefined) {
      throw new GoDurationError(`time: unknown unit ${JSON.stringify(unit)} in duration ${JSON.stringify(text)}`)
    }
    totalNs += Number(amount) * unitNs
    rest = rest.slice(unit.length)
  }
  return sign * Math.round(totalNs)
}

/** A duration as Go prints it: `0s`, `1.5ms`, `10s`, `1m0s`, `24h0m0s`. */
export function formatGoDuration(valueNs: number): string {
  if (valueNs === 0) return '0s'
  if (valueNs < 0) return `-${formatGoDuration(-valueNs)}`
  if (valueNs < 1e3) return `${valueNs}ns`
  if (valueNs < 1e6) return `${valueNs / 1e3}µs`
  if (valueNs < 1e9) return `${valueNs / 1e6}ms`
  const hours = Math.floor(valueNs / 3600e9)
  const minutes = Math.floor((valueNs % 3600e9) / 60e9)
  const seconds = (valueNs % 60e9) / 1e9
  if (hours > 0) return `${hours}h${minutes}m${seconds}s`
  return minutes > 0 ? `${minutes}m${seconds}s` : `${seconds}s`
}
