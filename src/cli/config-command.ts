import type { Settings } from '../config/settings.js'
import { didYouMean } from '../core/suggestion.js'
import { isProconsulError } from '../errors/proconsul-error.js'
import type { KvImportReport } from '../kv/kv-import.js'
import type { Proconsul } from '../proconsul.js'
import { EXIT, UsageError, type CliIo, type Command } from './command.js'
import {
  clientOf,
  configOptionsOf,
  folderOf,
  isOwnLayer,
  LAYER_FLAGS,
  parseConfigFlags,
  type ConfigFlags,
} from './config-flags.js'
import { readTreeFile } from './tree-file.js'

const USAGE = `usage: proconsul config render   <layers> [--json]
       proconsul config validate <layers> --schema FILE [--json]
       proconsul config diff     FILE --folder FOLDER [--json]
       proconsul config import   FILE --folder FOLDER [--prune] [--atomic] [--dry-run] [--json]
       proconsul config export   --folder FOLDER

  render     what a service with these layers gets, and where each value comes from
  validate   whether the schema accepts it
  diff       what "import --prune" would change
  import     make a folder hold what a file says: an object, or the list of an export
  export     a folder, in the form of "consul kv export"

layers:      --layer PATH ...                                 keys or folders, later ones win
             --application NAME [--profile NAME ...] [--prefix PATH]
             [--optional] [--format keys|json|yaml|properties] [--coerce] [--interpolate] [--secret PATH ...] [--schema FILE]
schema:      a module that exports a Standard Schema or a function as "default" or "schema"
connection:  [--address URL] [--token-file FILE] [--datacenter NAME] [--timeout 10s], else the CONSUL_* variables
files:       .json, .yaml, .yml, .properties, or - for JSON from standard input
exit code:   0 done; 1 it differs, is not valid, holds nothing, or was changed by another meanwhile; 2 used wrongly; 3 Consul could not be asked`

interface Action {
  readonly flags: Parameters<typeof parseConfigFlags>[1]
  run(flags: ConfigFlags, files: readonly string[], io: CliIo): Promise<number>
}

const ACTIONS: Readonly<Record<string, Action>> = {
  render: { flags: LAYER_FLAGS, run: render },
  validate: { flags: LAYER_FLAGS, run: validate },
  diff: {
    flags: ['folder'],
    run: (flags, files, io) => bring({ ...flags, prune: true, 'dry-run': true }, files, io, differs),
  },
  import: {
    flags: ['folder', 'prune', 'atomic', 'dry-run'],
    run: (flags, files, io) => bring(flags, files, io, () => EXIT.ok),
  },
  export: { flags: ['folder'], run: exportFolder },
}

/** `proconsul config`: the same code as in a service, for people and pipelines. */
export const configCommand: Command = {
  summary: 'render, validate, diff, import and export configuration in the KV store',
  usage: USAGE,
  async run([name, ...args], io) {
    const action = name !== undefined && Object.hasOwn(ACTIONS, name) ? ACTIONS[name] : undefined
    if (action === undefined) {
      const hint = didYouMean(name ?? '', Object.keys(ACTIONS))
      throw new UsageError(name === undefined ? 'which command?' : `there is no command "${name}"${hint}`)
    }
    const { values, positionals } = parseConfigFlags(args, action.flags)
    return await action.run(values, positionals, io)
  },
}

async function render(flags: ConfigFlags, files: readonly string[], io: CliIo): Promise<number> {
  expectFiles(files, 0)
  await using consul = clientOf(flags)
  await using settings = await consul.config(await configOptionsOf(flags))
  if (await isMistaken(consul, settings, flags, io)) return EXIT.no
  const values = settings.explain()
  if (flags.json === true) {
    io.out(JSON.stringify({ version: settings.version, values }, null, 2))
    return EXIT.ok
  }
  for (const { path, value, layer, key, modifyIndex } of values) {
    const origin = key === undefined ? (layer ?? 'schema') : `${key} @${modifyIndex ?? 0}`
    io.out(`${path} = ${JSON.stringify(value)}  # ${origin}`)
  }
  return EXIT.ok
}

async function validate(flags: ConfigFlags, files: readonly string[], io: CliIo): Promise<number> {
  expectFiles(files, 0)
  if (flags.schema === undefined) throw new UsageError('--schema is missing')
  await using consul = clientOf(flags)
  try {
    await using settings = await consul.config(await configOptionsOf(flags))
    if (await isMistaken(consul, settings, flags, io)) return EXIT.no
    io.out(
      flags.json === true ? JSON.stringify({ valid: true, version: settings.version }) : `valid @${settings.version}`,
    )
    return EXIT.ok
  } catch (error) {
    if (!isProconsulError(error, 'PROCONSUL_CONFIG_INVALID')) throw error
    if (flags.json === true) io.out(JSON.stringify({ valid: false, reason: error.message }))
    else io.err(error.message)
    return EXIT.no
  }
}

/** Says which layers hold nothing. Where none of them holds anything that should, the name is most likely a slip of the pen. */
async function isMistaken(
  { kv }: Proconsul,
  { layers }: Pick<Settings<unknown>, 'layers'>,
  flags: ConfigFlags,
  io: CliIo,
): Promise<boolean> {
  const empty = layers.filter(({ keys }) => keys === 0)
  const own = layers.filter(({ path }) => isOwnLayer(flags, path))
  const isMistake = own.every(({ keys }) => keys === 0)
  if (empty.length === 0) return false
  const hint = isMistake ? await meantInstead(kv, own[0]?.path ?? '') : ''
  io.err(`nothing is stored under ${empty.map(({ path }) => JSON.stringify(path)).join(' and ')}${hint}`)
  return isMistake
}

async function meantInstead(kv: Proconsul['kv'], path: string): Promise<string> {
  const folder = path.slice(0, path.lastIndexOf('/') + 1)
  const names = await kv.keys(folder, { separator: '/' }).catch(() => [])
  return didYouMean(
    path,
    names.map((name) => name.replace(/\/$/, '')),
  )
}

async function bring(
  flags: ConfigFlags,
  files: readonly string[],
  io: CliIo,
  exitCode: (report: KvImportReport) => number,
): Promise<number> {
  const [file = ''] = expectFiles(files, 1)
  const source = await readTreeFile(file, io)
  await using consul = clientOf(flags)
  const { 'dry-run': dryRun, prune, atomic, timeout } = flags
  const report = await consul.kv.import(folderOf(flags), source, { dryRun, prune, atomic, timeout })
  if (flags.json === true) io.out(JSON.stringify(report, null, 2))
  else for (const line of reportLines(report)) io.out(line)
  return exitCode(report)
}

async function exportFolder(flags: ConfigFlags, files: readonly string[], io: CliIo): Promise<number> {
  expectFiles(files, 0)
  await using consul = clientOf(flags)
  const entries = await consul.kv.export(folderOf(flags), { timeout: flags.timeout })
  const lines = entries.map(({ key, flags: bits, value }) => {
    // Flags above 2^53 - 1 are digits that JSON.stringify would not write.
    return `  {"key":${JSON.stringify(key)},"flags":${bits.toString()},"value":${JSON.stringify(value)}}`
  })
  io.out(lines.length === 0 ? '[]' : `[\n${lines.join(',\n')}\n]`)
  return EXIT.ok
}

function expectFiles(files: readonly string[], count: number): readonly string[] {
  if (files.length !== count) throw new UsageError(count === 0 ? `what is "${files[0] ?? ''}"?` : 'expected one FILE')
  return files
}

function differs({ created, updated, deleted }: KvImportReport): number {
  return created.length + updated.length + deleted.length === 0 ? EXIT.ok : EXIT.no
}

function reportLines({ created, updated, deleted, unchanged, atomic }: KvImportReport): string[] {
  const lines = [
    ...created.map((key) => `+ ${key}`),
    ...updated.map((key) => `~ ${key}`),
    ...deleted.map((key) => `- ${key}`),
  ]
  const counts = `${created.length} created, ${updated.length} updated, ${deleted.length} deleted, ${unchanged.length} unchanged`
  return [...lines, `${counts}${atomic ? '' : '; in several transactions'}`]
}
