import { invalidOption } from '../errors/invalid-option.js'
import { didYouMean } from './suggestion.js'

/** Checks of what a caller passed. Each returns the value as its type, or throws `PROCONSUL_INVALID_OPTION` naming the option. */

/** A plain object whose keys are all among `known`, so that a misspelt option is not silently without effect. */
export function checkObject(
  option: string,
  value: unknown,
  known: readonly string[],
): Readonly<Record<string, unknown>> {
  if (!isRecord(value)) throw invalidOption(option, value, 'an object')
  for (const key of Object.keys(value)) {
    if (known.includes(key)) continue
    const expected = known.length === 0 ? 'no options at all' : `one of the options ${known.join(', ')}`
    throw invalidOption(`${option}.${key}`, value[key], expected + didYouMean(key, known))
  }
  return value
}

/** A non-empty string. */
export function checkString(option: string, value: unknown, expected = 'a non-empty string'): string {
  if (typeof value !== 'string' || value === '') throw invalidOption(option, value, expected)
  return value
}

/** True or false. */
export function checkBoolean(option: string, value: unknown): boolean {
  if (typeof value !== 'boolean') throw invalidOption(option, value, 'true or false')
  return value
}

/** A whole number from `min` to `max`. */
export function checkInteger(option: string, value: unknown, min: number, max: number): number {
  if (typeof value !== 'number' || !Number.isInteger(value) || value < min || value > max) {
    throw invalidOption(option, value, `a whole number from ${min} to ${max}`)
  }
  return value
}

/** A list of non-empty strings. */
export function checkStrings(option: string, value: unknown): readonly string[] {
  if (!Array.isArray(value)) throw invalidOption(option, value, 'an array of strings')
  return value.map((entry: unknown, index) => checkString(`${option}[${index}]`, entry))
}

/** A map from string to string. */
export function checkStringMap(option: string, value: unknown): Readonly<Record<string, string>> {
  if (!isRecord(value)) throw invalidOption(option, value, 'an object of strings')
  const entries = Object.entries(value).map(([key, entry]): [string, string] => {
    if (typeof entry !== 'string') throw invalidOption(`${option}.${key}`, entry, 'a string')
    return [key, entry]
  })
  return Object.fromEntries(entries)
}

/** One of the given words. */
export function checkOneOf<Word extends string>(option: string, value: unknown, words: readonly Word[]): Word {
  const word = words.find((candidate) => candidate === value)
  if (word === undefined) {
    const hint = typeof value === 'string' ? didYouMean(value, words) : ''
    throw invalidOption(option, value, words.map((candidate) => `'${candidate}'`).join(' | ') + hint)
  }
  return word
}

/** A function. */
export function checkFunction<T>(option: string, value: T): T {
  if (typeof value !== 'function') throw invalidOption(option, value, 'a function')
  return value
}

/** An AbortSignal, of whatever realm, where there is one. */
export function checkSignal(option: string, value: unknown): AbortSignal | undefined {
  if (value === undefined) return undefined
  if (!isSignal(value)) throw invalidOption(option, value, 'an AbortSignal')
  return value
}

function isSignal(value: unknown): value is AbortSignal {
  return isRecord(value) && typeof value['aborted'] === 'boolean' && typeof value['addEventListener'] === 'function'
}

/** Whether a value is an object that is neither null nor an array. */
export function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}
