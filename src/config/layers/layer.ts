import { checkKey } from '../../api/kv-key.js'
import { checkObject, checkString, checkStrings, isRecord } from '../../core/option-check.js'
import { invalidOption } from '../../errors/invalid-option.js'
import { TXN_MAX_OPERATIONS } from '../../api/txn.js'

/** A folder of keys (or one document) that configures; later layers win. */
export interface ConfigLayer {
  /** The key or folder, without a slash at its end. */
  readonly path: string
  /** The same with the slash: what the keys below it begin with. */
  readonly folder: string
  /** Whether a start may do without it. */
  readonly optional: boolean
}

/**
 * The layers of an application in the layout that Spring Cloud Consul made common: `prefix/application`, `prefix/application,profile`,
 * `prefix/<application>`, `prefix/<application>,profile`, each profile in order. None of them has to exist.
 * (https://docs.spring.io/spring-cloud-consul/reference/config.html)
 */
export interface ApplicationLayers {
  readonly application: string
  readonly profiles?: readonly string[] | undefined
  /** The root of one environment. Default `config`. */
  readonly prefix?: string | undefined
}

/** The layers, for messages. */
export function layersLabel(layers: readonly ConfigLayer[]): string {
  return `the configuration of the layers ${quoted(layers)}`
}

/** The paths of layers, in quotes. */
export function quoted(layers: readonly Pick<ConfigLayer, 'path'>[]): string {
  return layers.map(({ path }) => JSON.stringify(path)).join(', ')
}

const DEFAULT_PREFIX = 'config'
const SHARED_CONTEXT = 'application'

/**
 * The layers in order of precedence, lowest first. `optional` undefined: those of an application are, and others if there are defaults.
 * Throws `PROCONSUL_INVALID_OPTION`.
 */
export function resolveLayers(layers: unknown, optional: unknown, hasDefaults = false): readonly ConfigLayer[] {
  const isApplication = isRecord(layers)
  const paths = isApplication ? applicationPaths(layers) : listedPaths(layers)
  const isOptional = checkOptional(optional ?? (isApplication || hasDefaults), paths)
  return paths.map((path) => ({ path, folder: `${path}/`, optional: isOptional(path) }))
}

function listedPaths(layers: unknown): string[] {
  if (!Array.isArray(layers) || layers.length === 0 || layers.length > TXN_MAX_OPERATIONS) {
    const expected = `a list of 1 to ${TXN_MAX_OPERATIONS} keys or folders, or { application, profiles, prefix }`
    throw invalidOption('layers', layers, expected)
  }
  const paths = layers.map((layer: unknown, index) => checkLayer(`layers[${index}]`, layer))
  const repeated = paths.find((path, index) => paths.indexOf(path) !== index)
  if (repeated !== undefined) throw invalidOption('layers', repeated, 'each layer once')
  return paths
}

function applicationPaths(layers: Readonly<Record<string, unknown>>): string[] {
  const {
    application,
    profiles = [],
    prefix = DEFAULT_PREFIX,
  } = checkObject('layers', layers, ['application', 'profiles', 'prefix'])
  const root = checkLayer('layers.prefix', prefix)
  const names = checkStrings('layers.profiles', profiles).map((name, index) =>
    checkName(`layers.profiles[${index}]`, name),
  )
  const contexts = [...new Set([SHARED_CONTEXT, checkName('layers.application', application)])]
  return contexts.flatMap((context) =>
    [context, ...names.map((name) => `${context},${name}`)].map((path) => `${root}/${path}`),
  )
}

function checkLayer(option: string, layer: unknown): string {
  return checkKey(option, checkString(option, layer).replace(/\/$/, ''))
}

/** A name may not lead out of the environment's root, nor into another application's profile. */
function checkName(option: string, name: unknown): string {
  const checked = checkKey(option, checkString(option, name))
  if (/[/,]/.test(checked)) throw invalidOption(option, name, 'a name without "/" and ","')
  return checked
}

function checkOptional(optional: unknown, paths: readonly string[]): (path: string) => boolean {
  if (typeof optional === 'boolean') return () => optional
  const listed = checkStrings('optional', optional).map((path) => path.replace(/\/$/, ''))
  const unknown = listed.find((path) => !paths.includes(path))
  if (unknown !== undefined) throw invalidOption('optional', unknown, `one of the layers ${paths.join(', ')}`)
  return (path) => listed.includes(path)
}
