import { ProconsulError } from './proconsul-error.js'

/**
 * The error for a value that the caller passed: it names the option (or environment variable), the value, and the accepted form.
 * Leave the value of a secret out by passing `SECRET_VALUE`.
 */
export function invalidOption(option: string, value: unknown, expected: string): ProconsulError {
  return new ProconsulError('PROCONSUL_INVALID_OPTION', `${option} is ${show(value)}; expected ${expected}`)
}

/** Stands in a message for a value that must not be shown. */
export const SECRET_VALUE = Symbol('secret')

const LONGEST_SHOWN = 120

function show(value: unknown): string {
  if (typeof value === 'string') return JSON.stringify(cut(value))
  if (typeof value === 'function') return 'a function'
  if (typeof value === 'bigint') return `${value.toString()}n`
  if (value === SECRET_VALUE) return 'not acceptable (its value is not shown)'
  if (typeof value === 'symbol' || value === undefined) return String(value)
  if (Array.isArray(value)) return `an array of ${value.length}`
  if (typeof value === 'number' || typeof value === 'boolean' || value === null) return String(value)
  return 'an object'
}

function cut(text: string): string {
  return text.length > LONGEST_SHOWN ? `${text.slice(0, LONGEST_SHOWN)}…` : text
}
