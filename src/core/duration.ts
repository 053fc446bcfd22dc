import { invalidOption } from '../errors/invalid-option.js'

/** A length of time: a number of milliseconds, or a number with one unit such as `'500ms'`, `'15s'`, `'5m'`, `'1h'`. */
export type Duration = number | `${number}${'ms' | 's' | 'm' | 'h'}`

const UNITS_MS: Readonly<Record<string, number>> = { ms: 1, s: 1_000, m: 60_000, h: 3_600_000 }

/** Timers of Node.js fire at once beyond 2^31 - 1 ms. */
const LONGEST_MS = 2_147_483_647

const ACCEPTED = "a number of milliseconds or a string such as '500ms', '15s', '5m' or '1h'"

/** Bounds of an option that is a duration. */
export interface DurationBounds {
  /** Smallest accepted value in milliseconds. Default 0. */
  readonly minMs?: number
  /** Largest accepted value in milliseconds. Default 2^31 - 1, about 24.8 days: the longest timer of Node.js. */
  readonly maxMs?: number
}

/**
 * The milliseconds of a duration.
 * @throws ProconsulError `PROCONSUL_INVALID_OPTION`, naming the option, when the value has another form or is out of bounds.
 */
export function parseDuration(option: string, value: unknown, bounds: DurationBounds = {}): number {
  const minMs = bounds.minMs ?? 0
  const maxMs = bounds.maxMs ?? LONGEST_MS
  const valueMs = toMs(value)
  if (valueMs === undefined) throw invalidOption(option, value, ACCEPTED)
  if (valueMs < minMs || valueMs > maxMs) {
    throw invalidOption(option, value, `a duration from ${formatDuration(minMs)} to ${formatDuration(maxMs)}`)
  }
  return valueMs
}

function toMs(value: unknown): number | undefined {
  if (typeof value === 'number') return Number.isFinite(value) ? value : undefined
  if (typeof value !== 'string') return undefined
  const [, amount, unit] = /^(\d+(?:\.\d+)?)(ms|s|m|h)$/.exec(value) ?? []
  const unitMs = unit === undefined ? undefined : UNITS_MS[unit]
  return amount === undefined || unitMs === undefined ? undefined : Math.round(Number(amount) * unitMs)
}

/** A short text for people: `500ms`, `12.3s`, `5m`, `1.5h`. */
export function formatDuration(valueMs: number): string {
  if (valueMs < 1_000) return `${Math.round(valueMs)}ms`
  if (valueMs < 60_000) return `${round(valueMs / 1_000)}s`
  return valueMs < 3_600_000 ? `${round(valueMs / 60_000)}m` : `${round(valueMs / 3_600_000)}h`
}

function round(value: number): number {
  return Math.round(value * 10) / 10
}
