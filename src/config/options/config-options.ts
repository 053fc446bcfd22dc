import type { StandardSchemaV1 } from '@standard-schema/spec'
import { parseDuration, type Duration } from '../../core/duration.js'
import {
  checkBoolean,
  checkObject,
  checkOneOf,
  checkSignal,
  checkString,
  checkStrings,
} from '../../core/option-check.js'
import { invalidOption, SECRET_VALUE } from '../../errors/invalid-option.js'
import { resolveLayers, type ApplicationLayers, type ConfigLayer } from '../layers/layer.js'
import { parsePath, type Segments } from '../tree/path.js'
import { isTreeObject, toTree, TreeProblem, type TreeObject } from '../tree/tree.js'
import { isStandardSchema, type ConfigSchema } from './schema.js'

/** Reads one document: its text, and the key that holds it. What it throws rejects the state; the message is not shown. */
export type FormatFunction = (text: string, key: string) => unknown

/**
 * Looks at a configuration before it is applied, and vetoes it by throwing. `previous` is undefined at the start. A hook that does not
 * settle within `timeout` counts as a veto.
 */
export type BeforeApply<T = unknown> = (
  next: T,
  context: { readonly previous: T | undefined; readonly signal: AbortSignal },
) => void | Promise<void>

/** How long what is missing is taken for lost. */
export interface ConfigLossGuard {
  /**
   * How long keys that vanished in an outage, or without proof of their deletion, are taken for lost rather than deleted. Longer where
   * keys are put back by hand. Default 1 m.
   */
  readonly hold?: Duration | undefined
}

/** What to read and how. docs/reference/configuration.md describes each option. */
export interface ConfigOptions<T = TreeObject> {
  /** Keys or folders, later ones win; or the layout that Spring Cloud Consul made common. */
  readonly layers: readonly string[] | ApplicationLayers
  /**
   * Layers that a start may do without: all of them, or those listed. Default: all with `defaults` or `{ application }`, else none.
   */
  readonly optional?: boolean | readonly string[] | undefined
  /** How a layer is written. Default `'keys'`: each key below the layer is one value. */
  readonly format?: 'keys' | 'json' | 'yaml' | 'properties' | FormatFunction | undefined
  /** Whether texts of `keys` and `properties` that plainly are numbers or booleans become such. Default false. */
  readonly coerce?: boolean | undefined
  /** Whether `${other.path:-fallback}` in texts is replaced. Default false. */
  readonly interpolate?: boolean | undefined
  /** Values beneath all layers. */
  readonly defaults?: object | undefined
  /** Checks the merged tree and gives it its type: any Standard Schema, or a function. */
  readonly schema?: ConfigSchema<T> | undefined
  /** Paths whose values are shown nowhere; `*` stands for any one part. */
  readonly secrets?: readonly string[] | undefined
  /** Hooks that may veto, asked in order. */
  readonly beforeApply?: BeforeApply<T> | readonly BeforeApply<T>[] | undefined
  /** How long the keys must be quiet before a change is applied; at the latest after ten times as long. Default 100 ms. */
  readonly debounce?: Duration | undefined
  /** Time for the first load, and for schema and hooks to settle. Default 10 s. */
  readonly timeout?: Duration | undefined
  /** What becomes of keys that vanish without a trace. `false` believes at once that they were deleted. */
  readonly lossGuard?: ConfigLossGuard | false | undefined
  /** File for a start without Consul. */
  readonly cacheFile?: string | undefined
  /** Encrypts the cache file, which then holds the secrets as well: 32 bytes, or their base64 or hex text. */
  readonly cacheKey?: string | Uint8Array | undefined
  /**
   * What a start may use when Consul does not answer within `timeout` and there is no cache: `'defaults'`, marked stale until Consul
   * answers. Default: nothing, the start fails.
   */
  readonly startWith?: 'defaults' | undefined
  /** Ends the start, which rejects with `PROCONSUL_ABORTED`, and closes the settings later. */
  readonly signal?: AbortSignal | undefined
  readonly token?: string | undefined
  readonly datacenter?: string | undefined
  readonly namespace?: string | undefined
  readonly partition?: string | undefined
}

/** {@link ConfigOptions} with a schema of a library, from which the type of the value follows. */
export type TypedConfigOptions<Schema extends StandardSchemaV1> = Omit<
  ConfigOptions<StandardSchemaV1.InferOutput<Schema>>,
  'schema'
> & { readonly schema: Schema }

/** {@link ConfigOptions}, checked and complete. */
export interface ResolvedConfigOptions<T = unknown> {
  readonly layers: readonly ConfigLayer[]
  readonly format: 'keys' | 'json' | 'yaml' | 'properties' | FormatFunction
  readonly coerce: boolean
  readonly interpolate: boolean
  readonly defaults: TreeObject
  readonly schema: ConfigSchema<T> | undefined
  readonly secrets: readonly Segments[]
  readonly beforeApply: readonly BeforeApply<T>[]
  readonly debounceMs: number
  readonly timeoutMs: number
  /** 0 believes at once. */
  readonly holdMs: number
  readonly cacheFile: string | undefined
  readonly cacheKey: Buffer | undefined
  readonly startsWithDefaults: boolean
  readonly signal: AbortSignal | undefined
  readonly access: ConfigAccess
}

/** As whom and where to read. */
export interface ConfigAccess {
  readonly token?: string
  readonly datacenter?: string
  readonly namespace?: string
  readonly partition?: string
}

/** The defaults of {@link ConfigOptions} that are figures. */
export const CONFIG_DEFAULTS = Object.freeze({
  // One push of many keys arrives within this, and nobody waits for a tenth of a second.
  debounceMs: 100,
  // Longer than an election, shorter than the patience of whoever starts the process.
  timeoutMs: 10_000,
  // Time for people or a pipeline to put back what a restarted agent has lost.
  holdMs: 60_000,
})

/** Length of the key of a cache. */
export const CACHE_KEY_BYTES = 32

const FORMATS: readonly unknown[] = ['keys', 'json', 'yaml', 'properties']

const OPTIONS = [
  'layers',
  'optional',
  'format',
  'coerce',
  'interpolate',
  'defaults',
  'schema',
  'secrets',
  'beforeApply',
  'debounce',
  'timeout',
  'lossGuard',
  'cacheFile',
  'cacheKey',
  'startWith',
  'signal',
  'token',
  'datacenter',
  'namespace',
  'partition',
]

/** Checks and completes. @throws ProconsulError `PROCONSUL_INVALID_OPTION` */
export function resolveConfigOptions<T>(options: ConfigOptions<T>): ResolvedConfigOptions<T> {
  const given = checkObject('config', options, OPTIONS)
  const duration = (name: string, fallbackMs: number, minMs: number): number =>
    given[name] === undefined ? fallbackMs : parseDuration(name, given[name], { minMs })
  return Object.freeze({
    layers: resolveLayers(given['layers'], given['optional'], given['defaults'] !== undefined),
    format: checkFormat(options.format),
    coerce: given['coerce'] !== undefined && checkBoolean('coerce', given['coerce']),
    interpolate: given['interpolate'] !== undefined && checkBoolean('interpolate', given['interpolate']),
    defaults: checkDefaults(given['defaults']),
    schema: checkSchema(options.schema),
    secrets: checkSecrets(given['secrets']),
    beforeApply: checkHooks(options.beforeApply),
    debounceMs: duration('debounce', CONFIG_DEFAULTS.debounceMs, 0),
    timeoutMs: duration('timeout', CONFIG_DEFAULTS.timeoutMs, 1),
    holdMs: checkLossGuard(given['lossGuard']),
    cacheFile: given['cacheFile'] === undefined ? undefined : checkString('cacheFile', given['cacheFile']),
    cacheKey: checkCacheKey(given['cacheKey'], given['cacheFile']),
    startsWithDefaults: checkStartWith(given['startWith'], given['defaults'] ?? given['schema']),
    signal: checkSignal('signal', given['signal']),
    access: access(given),
  })
}

function checkFormat(format: ConfigOptions['format']): ResolvedConfigOptions['format'] {
  if (format === undefined) return 'keys'
  if (typeof format === 'function' || FORMATS.includes(format)) return format
  throw invalidOption('format', format, "'keys' | 'json' | 'yaml' | 'properties' | a function (text, key) => object")
}

function checkLossGuard(guard: unknown): number {
  if (guard === false) return 0
  if (typeof guard === 'string' || typeof guard === 'number') {
    throw invalidOption('lossGuard', guard, `an object or false. Did you mean { hold: ${JSON.stringify(guard)} }?`)
  }
  const { hold } = checkObject('lossGuard', guard ?? {}, ['hold'])
  return hold === undefined ? CONFIG_DEFAULTS.holdMs : parseDuration('lossGuard.hold', hold, { minMs: 1 })
}

function checkStartWith(startWith: unknown, defaults: unknown): boolean {
  if (startWith === undefined) return false
  checkOneOf('startWith', startWith, ['defaults'])
  if (defaults === undefined)
    throw invalidOption('startWith', startWith, 'defaults beside it, or a schema that has some')
  return true
}

function checkDefaults(defaults: unknown): TreeObject {
  if (defaults === undefined) return {}
  try {
    const tree = toTree(defaults)
    if (isTreeObject(tree)) return tree
  } catch (error) {
    if (!(error instanceof TreeProblem)) throw error
    const { segments, message } = error
    throw invalidOption(['defaults', ...segments].join('.'), defaults, `what a configuration can hold; it ${message}`)
  }
  throw invalidOption('defaults', defaults, 'an object')
}

function checkSchema<T>(schema: ConfigSchema<T> | undefined): ConfigSchema<T> | undefined {
  if (schema === undefined || typeof schema === 'function' || isStandardSchema(schema)) return schema
  throw invalidOption('schema', schema, 'a Standard Schema (zod, valibot, arktype and others) or a function')
}

function checkSecrets(secrets: unknown): readonly Segments[] {
  if (secrets === undefined) return []
  return checkStrings('secrets', secrets).map((path, index) => {
    const segments = parsePath(path)
    if (segments === undefined)
      throw invalidOption(`secrets[${index}]`, path, "a path such as 'db.password' or 'tokens.*'")
    return segments
  })
}

function checkHooks<T>(hooks: ConfigOptions<T>['beforeApply']): readonly BeforeApply<T>[] {
  if (hooks === undefined) return []
  if (typeof hooks === 'function') return [hooks]
  if (!isList(hooks)) throw invalidOption('beforeApply', hooks, 'a function or a list of functions')
  return hooks.map((hook: unknown, index): BeforeApply<T> => {
    const known = hooks[index]
    if (known === undefined || typeof hook !== 'function')
      throw invalidOption(`beforeApply[${index}]`, hook, 'a function')
    return known
  })
}

function isList(value: unknown): boolean {
  return Array.isArray(value)
}

function checkCacheKey(key: unknown, file: unknown): Buffer | undefined {
  if (key === undefined) return undefined
  if (file === undefined) throw invalidOption('cacheKey', SECRET_VALUE, 'a cacheFile beside it')
  const bytes =
    typeof key === 'string'
      ? Buffer.from(key, /^[\da-f]{64}$/i.test(key) ? 'hex' : 'base64')
      : Buffer.from(key instanceof Uint8Array ? key : [])
  if (bytes.length !== CACHE_KEY_BYTES) {
    throw invalidOption('cacheKey', SECRET_VALUE, `${CACHE_KEY_BYTES} bytes, or their base64 or hex text`)
  }
  return bytes
}

function access(given: Readonly<Record<string, unknown>>): ConfigAccess {
  const names = ['token', 'datacenter', 'namespace', 'partition'].filter((name) => given[name] !== undefined)
  return Object.fromEntries(
    names.map((name) => [
      name,
      checkString(name, name === 'token' && !isText(given[name]) ? SECRET_VALUE : given[name]),
    ]),
  )
}

function isText(value: unknown): boolean {
  return typeof value === 'string' && value !== ''
}
