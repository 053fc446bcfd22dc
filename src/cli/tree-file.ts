import { readFile } from 'node:fs/promises'
import { extname } from 'node:path'
import { isRecord } from '../core/option-check.js'
import { DocumentProblem } from '../config/formats/document.js'
import { parseJson } from '../config/formats/json.js'
import { parseProperties } from '../config/formats/properties.js'
import { loadYaml } from '../config/formats/yaml.js'
import type { Tree } from '../config/tree/tree.js'
import type { KvExportEntry, KvImportSource } from '../kv/kv-import.js'
import { UsageError, type CliIo } from './command.js'

/** Flags that a number of JavaScript cannot hold: they are read as text. */
const LONG_FLAGS = /"flags":\s*(\d{16,})/g

/**
 * What a file holds for an import: the list of `consul kv export`, or an object. The name's ending tells the format; `-` is JSON from
 * standard input.
 */
export async function readTreeFile(name: string, io: CliIo): Promise<KvImportSource> {
  const text = name === '-' ? await io.readInput() : await readText(name)
  let tree: Tree
  try {
    tree = await parse(name, text)
  } catch (error) {
    if (!(error instanceof DocumentProblem)) throw error
    const { line, column } = error.position ?? {}
    throw new UsageError(`${name}${line === undefined ? '' : `:${line}:${column ?? 1}`} ${error.message}`)
  }
  if (Array.isArray(tree)) return tree.map((entry: Tree, index) => exportEntry(entry, `${name}[${index}]`))
  if (isRecord(tree)) return tree
  throw new UsageError(`${name} holds neither an object nor the list of an export`)
}

async function readText(name: string): Promise<string> {
  try {
    return await readFile(name, 'utf8')
  } catch (error) {
    throw new UsageError(`${name} cannot be read: ${error instanceof Error ? error.message : String(error)}`)
  }
}

async function parse(name: string, text: string): Promise<Tree> {
  switch (name === '-' ? '.json' : extname(name)) {
    case '.json':
      return parseJson(text.replace(LONG_FLAGS, '"flags":"$1"'))
    case '.yaml':
    case '.yml':
      return (await loadYaml())(text, name)
    case '.properties':
      return parseProperties(text, (value) => value)
    default:
      throw new UsageError(`${name} must end in .json, .yaml, .yml or .properties`)
  }
}

function exportEntry(entry: Tree, name: string): KvExportEntry {
  const { key, flags = 0, value = '' } = isRecord(entry) ? entry : {}
  const bits = typeof flags === 'string' && /^\d+$/.test(flags) ? BigInt(flags) : flags
  if (typeof key !== 'string' || (typeof bits !== 'number' && typeof bits !== 'bigint') || typeof value !== 'string') {
    throw new UsageError(`${name} is not { key, flags, value } with the value as base64 text`)
  }
  return { key, flags: bits, value }
}
