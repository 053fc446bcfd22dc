/**
 * Strict decoding of a JSON body into a known shape, with the messages of Go's decoder. Consul's register calls refuse unknown fields.
 */
import { GoDurationError, parseGoDuration } from './go-duration.js'

/** What is wrong with a body, in Go's words, without the prefix that the endpoint adds. */
export class GoDecodeError extends Error {
  override readonly name = 'GoDecodeError'
}

/** Turns a JSON value into a typed one. `field` is the path that Go's message names, such as `.Port`. */
export type Decoder<Value> = (value: unknown, field: string) => Value

function kindOf(value: unknown): string {
  if (Array.isArray(value)) return 'array'
  if (typeof value === 'boolean') return 'bool'
  return typeof value
}

function mismatch(value: unknown, field: string, goType: string): GoDecodeError {
  const kind = typeof value === 'number' && !Number.isInteger(value) ? `number ${value}` : kindOf(value)
  const target = field === '' ? `Go value of type ${goType}` : `Go struct field ${field} of type ${goType}`
  return new GoDecodeError(`json: cannot unmarshal ${kind} into ${target}`)
}

/** A string; null counts as empty, as in Go. */
export const text: Decoder<string> = (value, field) => {
  if (value === null) return ''
  if (typeof value !== 'string') throw mismatch(value, field, 'string')
  return value
}

/** A whole number; null counts as 0. */
export const integer: Decoder<number> = (value, field) => {
  if (value === null) return 0
  if (typeof value !== 'number' || !Number.isInteger(value)) throw mismatch(value, field, 'int')
  return value
}

/** An unsigned 64-bit number, which may be written as a string when it is too large for JavaScript. */
export const unsigned: Decoder<bigint> = (value, field) => {
  if (value === null) return 0n
  if (typeof value === 'string' && /^\d+$/.test(value)) return BigInt(value)
  if (typeof value !== 'number' || !Number.isInteger(value) || value < 0) throw mismatch(value, field, 'uint64')
  return BigInt(value)
}

/** True or false; null counts as false. */
export const flag: Decoder<boolean> = (value, field) => {
  if (value === null) return false
  if (typeof value !== 'boolean') throw mismatch(value, field, 'bool')
  return value
}

/** A duration in nanoseconds: a Go duration string, or a number of nanoseconds. */
export const durationNs: Decoder<number> = (value, field) => {
  if (value === null) return 0
  if (typeof value === 'number') return value
  if (typeof value !== 'string') throw mismatch(value, field, 'time.Duration')
  try {
    return parseGoDuration(value)
  } catch (error) {
    if (error instanceof GoDurationError) throw new GoDecodeError(error.message)
    throw error
  }
}

/** Any JSON, kept as it is. */
export const anything: Decoder<unknown> = (value) => value

/** A list; null counts as empty. `goType` is what a refusal calls it. */
export function list<Value>(entry: Decoder<Value>, goType = '[]string'): Decoder<readonly Value[]> {
  return (value, field) => {
    if (value === null) return []
    if (!Array.isArray(value)) throw mismatch(value, field, goType)
    return value.map((item: unknown) => entry(item, field))
  }
}

/** A map, its keys in order, as Go prints maps; null stays null. */
export function map<Value>(entry: Decoder<Value>): Decoder<Readonly<Record<string, Value>> | null> {
  return (value, field) => {
    if (value === null) return null
    if (!isObject(value)) throw mismatch(value, field, 'map[string]string')
    const pairs = Object.keys(value)
      .sort()
      .map((key): [string, Value] => [key, entry(value[key], field)])
    return Object.fromEntries(pairs)
  }
}

/** The values of a shape, each undefined when the body did not name it. */
export type Decoded<Shape extends Readonly<Record<string, Decoder<unknown>>>> = {
  readonly [Name in keyof Shape]?: ReturnType<Shape[Name]>
}

/** How an object is read. */
export interface ObjectRules {
  /** Other spellings of a field: `{ enable_tag_override: 'EnableTagOverride' }`. */
  readonly aliases?: Readonly<Record<string, string>>
  /** Take unknown fields without a word. Default false: they are refused. */
  readonly lenient?: boolean
  /** Fields that this version of Consul does not know. */
  readonly unknown?: ReadonlySet<string>
}

/** An object of known fields, matched without regard to case, as Go does. */
export function object<Shape extends Readonly<Record<string, Decoder<unknown>>>>(
  shape: Shape,
  rules: ObjectRules = {},
): (value: unknown, field: string) => Decoded<Shape> {
  const names = new Map<string, string>()
  for (const name of Object.keys(shape)) if (rules.unknown?.has(name) !== true) names.set(name.toLowerCase(), name)
  for (const [alias, name] of Object.entries(rules.aliases ?? {})) names.set(alias.toLowerCase(), name)
  return (value, field) => {
    const decoded: Record<string, unknown> = {}
    // Go leaves what it decodes into as it was.
    if (value === null) return assume<Shape>(decoded)
    if (!isObject(value)) throw mismatch(value, field, 'structs.ServiceDefinition')
    for (const [key, entry] of Object.entries(value)) {
      const name = names.get(key.toLowerCase())
      const decoder = name === undefined ? undefined : shape[name]
      if (name !== undefined && decoder !== undefined) {
        if (entry !== null) decoded[name] = decoder(entry, `.${name}`)
      } else if (rules.lenient !== true) throw new GoDecodeError(`json: unknown field ${JSON.stringify(key)}`)
    }
    return assume<Shape>(decoded)
  }
}

/** The loop in {@link object} filled every field by its own decoder; the compiler cannot follow a mapped type through a loop. */
function assume<Shape extends Readonly<Record<string, Decoder<unknown>>>>(value: object): Decoded<Shape>
function assume(value: object): object {
  return value
}

/** Whether a JSON value is an object. */
export function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}
