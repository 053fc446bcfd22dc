import { pathToFileURL } from 'node:url'
import { parseArgs } from 'node:util'
import type { ConfigOptions } from '../config/options/config-options.js'
import { parseDuration } from '../core/duration.js'
import { isRecord } from '../core/option-check.js'
import { didYouMean } from '../core/suggestion.js'
import { thrownText } from '../core/thrown.js'
import { Proconsul } from '../proconsul.js'
import { UsageError } from './command.js'

/** The command line of `proconsul config`. */

const FLAGS = {
  layer: { type: 'string', multiple: true },
  application: { type: 'string' },
  profile: { type: 'string', multiple: true },
  prefix: { type: 'string' },
  optional: { type: 'boolean' },
  format: { type: 'string' },
  coerce: { type: 'boolean' },
  interpolate: { type: 'boolean' },
  secret: { type: 'string', multiple: true },
  schema: { type: 'string' },
  folder: { type: 'string' },
  'dry-run': { type: 'boolean' },
  prune: { type: 'boolean' },
  atomic: { type: 'boolean' },
  address: { type: 'string' },
  'token-file': { type: 'string' },
  datacenter: { type: 'string' },
  timeout: { type: 'string' },
  json: { type: 'boolean' },
} as const

type FlagName = keyof typeof FLAGS

const CONNECTION: readonly FlagName[] = ['address', 'token-file', 'datacenter', 'timeout', 'json']

/** What describes the layers of a configuration. */
export const LAYER_FLAGS: readonly FlagName[] = [
  'layer',
  'application',
  'profile',
  'prefix',
  'optional',
  'format',
  'coerce',
  'interpolate',
  'secret',
  'schema',
]

/** Flags of one call. */
export type ConfigFlags = ReturnType<typeof parseFlags>['values']

/**
 * Reads the command line of a command that takes these flags, and those of the connection.
 * @throws UsageError; ProconsulError `PROCONSUL_INVALID_OPTION` for a value
 */
export function parseConfigFlags(args: readonly string[], taken: readonly FlagName[]): ReturnType<typeof parseFlags> {
  const parsed = parsedFlags(args)
  const flags: readonly string[] = [...taken, ...CONNECTION]
  const foreign = Object.keys(parsed.values).find((name) => !flags.includes(name))
  if (foreign !== undefined) throw new UsageError(`this command takes no --${foreign}`)
  if (parsed.values.timeout !== undefined) parseDuration('--timeout', parsed.values.timeout, { minMs: 1 })
  return parsed
}

function parsedFlags(args: readonly string[]): ReturnType<typeof parseFlags> {
  try {
    return parseFlags(args)
  } catch (error) {
    const [message = ''] = thrownText(error).split('. ')
    const unknown = /^Unknown option '--([^']*)'/.exec(message)?.[1]
    throw new UsageError(message + (unknown === undefined ? '' : didYouMean(unknown, Object.keys(FLAGS))))
  }
}

function parseFlags(args: readonly string[]) {
  return parseArgs({ args: [...args], options: FLAGS, allowPositionals: true, strict: true })
}

/** The client that the flags and the `CONSUL_*` variables describe. */
export function clientOf(flags: ConfigFlags): Proconsul {
  return new Proconsul({
    ...(flags.address !== undefined && { address: flags.address }),
    ...(flags['token-file'] !== undefined && { tokenFile: flags['token-file'] }),
    ...(flags.datacenter !== undefined && { datacenter: flags.datacenter }),
  })
}

/** The configuration that the flags describe. @throws UsageError */
export async function configOptionsOf(flags: ConfigFlags): Promise<ConfigOptions<unknown>> {
  const { format, timeout } = flags
  if (format !== undefined && format !== 'keys' && format !== 'json' && format !== 'yaml' && format !== 'properties') {
    throw new UsageError(`--format is "${format}"; expected keys, json, yaml or properties`)
  }
  return {
    layers: layersOf(flags),
    format,
    optional: flags.optional,
    coerce: flags.coerce,
    interpolate: flags.interpolate,
    secrets: flags.secret,
    ...(flags.schema !== undefined && { schema: await schemaOf(flags.schema) }),
    timeout,
  }
}

/** The folder that a command works on. @throws UsageError */
export function folderOf({ folder }: ConfigFlags): string {
  if (folder === undefined) throw new UsageError('--folder is missing')
  return folder
}

/** Which of the layers are the application's own, rather than those of all; every layer where none was named. */
export function isOwnLayer({ application, prefix = 'config' }: ConfigFlags, path: string): boolean {
  const own = `${prefix.replace(/\/$/, '')}/${application ?? ''}`
  return application === undefined || path === own || path.startsWith(`${own},`)
}

function layersOf({ layer, application, profile, prefix }: ConfigFlags): ConfigOptions['layers'] {
  if (application !== undefined && layer === undefined) return { application, profiles: profile, prefix }
  if (layer === undefined || application !== undefined)
    throw new UsageError('give --layer (one or more), or --application')
  return layer
}

/** The schema that a module exports as `default` or as `schema`. */
async function schemaOf(file: string): Promise<NonNullable<ConfigOptions<unknown>['schema']>> {
  const module: Readonly<Record<string, unknown>> = await importModule(file)
  const schema = module['default'] ?? module['schema']
  if (!isSchema(schema)) throw new UsageError(`--schema: ${file} exports no schema as "default" or "schema"`)
  return schema
}

async function importModule(file: string): Promise<Readonly<Record<string, unknown>>> {
  try {
    const module: unknown = await import(pathToFileURL(file).href)
    return isRecord(module) ? module : {}
  } catch (error) {
    throw new UsageError(`--schema: ${file} cannot be loaded: ${thrownText(error)}`)
  }
}

function isSchema(value: unknown): value is NonNullable<ConfigOptions<unknown>['schema']> {
  return typeof value === 'function' || (typeof value === 'object' && value !== null && '~standard' in value)
}
