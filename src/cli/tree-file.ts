import { readFile } from 'node:fs/promises'
import { extname } from 'node:path'
import { DocumentProblem } from '../config/formats/document.js'
import { parseJson, parseJsonAsWritten } from '../config/formats/json.js'
import { isFolderMark, keySegments, nestKeys } from '../config/formats/keys.js'
import { parseProperties } from '../config/formats/properties.js'
import { textOfBytes } from '../config/formats/text.js'
import { loadYaml, loadYamlAsWritten } from '../config/formats/yaml.js'
import { formatPath, type Segments } from '../config/tree/path.js'
import { isTreeObject, partAt, TreeProblem, type Tree, type TreeObject } from '../config/tree/tree.js'
import { isRecord } from '../core/option-check.js'
import { thrownText } from '../core/thrown.js'
import type { KvExportEntry, KvImportSource } from '../kv/kv-import.js'
import { UsageError, type CliIo } from './command.js'

/** Flags that a number of JavaScript cannot hold: they are read as text. */
const LONG_FLAGS = /"flags":\s*(\d{16,})/g

/**
 * What a file holds for an import: the list of `consul kv export`, or an object. The name's ending tells the format; `-` is JSON from
 * standard input. Each value is as it is written in the file, also a number: `1.10` stays `1.10`.
 * @throws UsageError naming file and place, also for an object that would be read back as another one
 */
export async function readTreeFile(name: string, io: CliIo): Promise<KvImportSource> {
  const bytes = name === '-' ? await io.readInput() : await readBytes(name)
  try {
    const tree = await parse(name, textOfBytes(typeof bytes === 'string' ? Buffer.from(bytes) : bytes))
    if (Array.isArray(tree)) return tree.map((entry: Tree, index) => exportEntry(entry, `${name}[${index}]`))
    if (!isTreeObject(tree)) throw new UsageError(`${name} holds neither an object nor the list of an export`)
    expectToReadBack(tree)
    return tree
  } catch (error) {
    throw asUsageError(name, error)
  }
}

function asUsageError(name: string, error: unknown): unknown {
  if (error instanceof TreeProblem) {
    const path = formatPath(error.segments)
    return new UsageError(`${name}: ${path === '' ? 'it' : path} ${error.message}`)
  }
  if (!(error instanceof DocumentProblem)) return error
  const { line, column } = error.position ?? {}
  return new UsageError(`${name}${line === undefined ? '' : `:${line}:${column ?? 1}`} ${error.message}`)
}

async function readBytes(name: string): Promise<Uint8Array> {
  try {
    return await readFile(name)
  } catch (error) {
    throw new UsageError(`${name} cannot be read: ${thrownText(error)}`)
  }
}

async function parse(name: string, text: string): Promise<Tree> {
  switch (name === '-' ? '.json' : extname(name)) {
    case '.json':
      return listOr(parseJson(text.replace(LONG_FLAGS, '"flags":"$1"')), () => parseJsonAsWritten(text))
    case '.yaml':
    case '.yml': {
      const [plain, asWritten] = [await loadYaml(), await loadYamlAsWritten()]
      return listOr(plain(text, name), () => asWritten(text, name))
    }
    case '.properties':
      return parseProperties(text, (value) => value)
    default:
      throw new UsageError(`${name} must end in .json, .yaml, .yml or .properties`)
  }
}

/** The list of an export has types; of an object each value is a text. */
function listOr(plain: Tree, asWritten: () => Tree): Tree {
  return Array.isArray(plain) ? plain : asWritten()
}

function exportEntry(entry: Tree, name: string): KvExportEntry {
  const { key, flags = 0, value = '' } = isRecord(entry) ? entry : {}
  const bits = typeof flags === 'string' && /^\d+$/.test(flags) ? BigInt(flags) : flags
  if (typeof key !== 'string' || (typeof bits !== 'number' && typeof bits !== 'bigint') || typeof value !== 'string') {
    throw new UsageError(`${name} is not { key, flags, value } with the value as base64 text`)
  }
  return { key, flags: bits, value }
}

/**
 * Makes sure that a configuration of these keys is the same object again. Names may be spelt as paths (`db/host`), but two that mean the
 * same key, or one that stands for something else in a key (`a[0]`), would not come back.
 */
function expectToReadBack(tree: TreeObject): void {
  const parts = partsOf(tree, [])
  const leaves = parts.filter(({ part }) => !isContainer(part))
  const names = leaves.map(({ segments, part }) => ({ key: segments.join('/'), name: segments.join('/'), tree: part }))
  const seen = new Set<string>()
  for (const { name } of names) {
    if (seen.has(name)) throw new TreeProblem('is there twice', name.split('/'))
    if (isFolderMark(name)) throw new TreeProblem('names a folder and not a key', name.split('/'))
    seen.add(name)
  }
  const read = nestKeys(names)
  for (const { segments, part } of parts) {
    const found = partAt(read, segments)
    const isSame = isContainer(part)
      ? isContainer(found) && Array.isArray(found) === Array.isArray(part)
      : found === part
    if (!isSame) throw new TreeProblem(`would be read back as ${whatIsRead(segments, found)}`, segments)
  }
}

function whatIsRead(segments: Segments, found: unknown): string {
  if (Array.isArray(found)) return 'a list'
  const other = formatPath(keySegments(segments.join('/')))
  return other === formatPath(segments) ? 'something else' : other
}

/** Every part of a tree with the path of its key. */
function partsOf(tree: Tree, segments: Segments): readonly { readonly segments: Segments; readonly part: Tree }[] {
  const below = isContainer(tree)
    ? Object.entries(tree).flatMap(([name, part]: [string, Tree]) => partsOf(part, [...segments, ...name.split('/')]))
    : []
  return segments.length === 0 ? below : [{ segments, part: tree }, ...below]
}

function isContainer(part: unknown): part is object {
  return typeof part === 'object' && part !== null
}
