import { invalidOption } from '../errors/invalid-option.js'

/**
 * A length of time: a number of milliseconds, or numbers with units, the largest first, such as `'500ms'`, `'15s'`, `'1m30s'`, `'1.5h'`.
 * The types accept any string, for most come from the environment; the call that is given one checks it.
 */
export type Duration = number | string

const UNITS_MS: readonly number[] = [3_600_000, 60_000, 1_000, 1]

/** Timers of Node.js fire at once beyond 2^31 - 1 ms. */
const LONGEST_MS = 2_147_483_647

const ACCEPTED = "a number of milliseconds or a string such as '500ms', '15s', '1m30s' or '1h'"

/** As Go writes them: each unit once at most, the largest first. */
const FORM = /^(?=\d)(?:(\d+(?:\.\d+)?)h)?(?:(\d+(?:\.\d+)?)m(?!s))?(?:(\d+(?:\.\d+)?)s)?(?:(\d+(?:\.\d+)?)ms)?$/

/** A number below this is hardly meant in milliseconds where that is too short. */
const LIKELY_SECONDS = 1_000

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
    const range = `a duration from ${formatDuration(minMs)} to ${formatDuration(maxMs)}`
    throw invalidOption(option, value, range + hint(value, minMs))
  }
  return valueMs
}

function toMs(value: unknown): number | undefined {
  if (typeof value === 'number') return Number.isFinite(value) ? value : undefined
  if (typeof value !== 'string') return undefined
  const match = FORM.exec(value)
  if (match === null) return undefined
  const parts = UNITS_MS.map((unitMs, place) => Number(match[place + 1] ?? 0) * unitMs)
  return Math.round(parts.reduce((sum, partMs) => sum + partMs, 0))
}

function hint(value: unknown, minMs: number): string {
  const isLikelySeconds = typeof value === 'number' && value >= 0 && value < Math.min(minMs, LIKELY_SECONDS)
  return isLikelySeconds ? `. A number is milliseconds: did you mean '${value}s'?` : ''
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
