import type { KvEntry } from '../api/kv-entry.js'
import type { KvApi } from '../api/kv.js'
import { checkKey } from '../api/kv-key.js'
import { checkFlags, valueBytes } from '../api/kv-value.js'
import { knownOptions, REQUEST_OPTIONS, type RequestOptions } from '../api/options.js'
import { TXN_MAX_OPERATIONS, TXN_MAX_REQUEST_BYTES, type TxnApi, type TxnOperation } from '../api/txn.js'
import { checkBoolean } from '../core/option-check.js'
import { invalidOption } from '../errors/invalid-option.js'
import { ProconsulError } from '../errors/proconsul-error.js'

/** One key of an export, in the form of `consul kv export`: the value is base64 text. */
export interface KvExportEntry {
  readonly key: string
  readonly flags: number | bigint
  readonly value: string
}

/** What to write: the keys of an export, or an object whose parts become keys (`{ db: { port: 1 } }` is `db/port`). */
export type KvImportSource = readonly KvExportEntry[] | Readonly<Record<string, unknown>>

/** Options of an import. */
export interface KvImportOptions extends RequestOptions {
  /** Report what would be done, and do nothing. Default false. */
  readonly dryRun?: boolean | undefined
  /** Delete the keys of the folder that the source does not have. Default false. */
  readonly prune?: boolean | undefined
  /** Refuse an import that does not fit into one transaction. Default false. */
  readonly atomic?: boolean | undefined
}

/** What an import did, or would do. */
export interface KvImportReport {
  readonly created: readonly string[]
  readonly updated: readonly string[]
  readonly deleted: readonly string[]
  readonly unchanged: readonly string[]
  /** Whether all of it is one transaction. If not, readers may see a part of it, and a failure may leave a part of it. */
  readonly atomic: boolean
}

interface Wanted {
  readonly key: string
  readonly value: Buffer
  readonly flags: number | bigint
}

interface Plan extends Omit<KvImportReport, 'atomic'> {
  readonly steps: readonly TxnOperation[]
}

/** What the parts of a transaction take in its JSON beside key and value. */
const STEP_OVERHEAD_BYTES = 160

const IMPORT_OPTIONS = [...REQUEST_OPTIONS, 'dryRun', 'prune', 'atomic'] as const

/** Makes the folder hold what the source says, touching only keys that differ, each only if nobody else has changed it meanwhile. */
export async function importTree(
  kv: KvApi,
  txn: TxnApi,
  folder: string,
  source: KvImportSource,
  given: KvImportOptions,
): Promise<KvImportReport> {
  const { dryRun = false, prune = false, atomic = false, ...options } = knownOptions('kv.import', given, IMPORT_OPTIONS)
  checkBoolean('dryRun', dryRun)
  const wanted = wantedKeys(folder, source)
  const { value: present } = await kv.list(folder, { ...options, encoding: 'buffer', consistent: true })
  const { steps, ...report } = plan(wanted, present, checkBoolean('prune', prune))
  const batches = batched(steps)
  const isAtomic = batches.length <= 1
  if (checkBoolean('atomic', atomic) && !isAtomic) {
    throw invalidOption('atomic', atomic, `an import that fits into one transaction; this one takes ${batches.length}`)
  }
  if (!dryRun) await run(kv, txn, batches, options)
  return { ...report, atomic: isAtomic }
}

/** The entries in the form of `consul kv export`. */
export function exportEntries(entries: readonly KvEntry[]): readonly KvExportEntry[] {
  return entries.map(({ key, flags, value }) => ({ key, flags, value }))
}

function wantedKeys(folder: string, source: KvImportSource): readonly Wanted[] {
  const wanted = isExport(source) ? source.map(exported) : flattened(folder, source)
  const seen = new Set<string>()
  for (const { key } of wanted) {
    checkKey('key', key)
    if (!key.startsWith(folder)) throw invalidOption('key', key, `a key within ${JSON.stringify(folder)}`)
    if (seen.has(key)) throw invalidOption('key', key, 'each key once')
    seen.add(key)
  }
  return wanted
}

/** Node.js decodes anything, and leaves out what it does not know. */
const BASE64 = /^(?:[A-Za-z\d+/]{4})*(?:[A-Za-z\d+/]{2}(?:==)?|[A-Za-z\d+/]{3}=?)?$/

function isExport(source: KvImportSource): source is readonly KvExportEntry[] {
  return Array.isArray(source)
}

function exported(entry: KvExportEntry, index: number): Wanted {
  const { key, value, flags } = entry
  if (typeof value !== 'string' || !BASE64.test(value))
    throw invalidOption(`entries[${index}].value`, value, 'base64 text')
  return {
    key,
    value: valueBytes(`the value of ${key}`, Buffer.from(value, 'base64')),
    flags: checkFlags(`entries[${index}].flags`, flags),
  }
}

function flattened(folder: string, source: unknown): Wanted[] {
  const wanted: Wanted[] = []
  const visit = (part: unknown, key: string): void => {
    if (typeof part === 'object' && part !== null && !(part instanceof Uint8Array)) {
      const parts = Object.entries(part)
      if (parts.length === 0 && part !== source) {
        throw invalidOption(`the value of ${key}`, part, 'something in it: no key can hold an empty object or list')
      }
      for (const [name, below] of parts) {
        if (name === '') throw invalidOption(`a name below ${key}`, name, 'a non-empty name')
        visit(below, `${key}/${name}`)
      }
    } else {
      wanted.push({ key, value: valueBytes(`the value of ${key}`, leafText(part)), flags: 0 })
    }
  }
  visit(source, folder.slice(0, -1))
  return wanted
}

function leafText(part: unknown): unknown {
  return Number.isFinite(part) || typeof part === 'boolean' ? String(part) : part
}

function plan(wanted: readonly Wanted[], present: readonly KvEntry<Buffer>[], prune: boolean): Plan {
  const byKey = new Map(present.map((entry) => [entry.key, entry]))
  const names = new Set(wanted.map(({ key }) => key))
  const isSame = ({ key, value, flags }: Wanted): boolean => {
    const entry = byKey.get(key)
    return entry?.flags === flags && entry.value.equals(value)
  }
  const changed = wanted.filter((each) => !isSame(each))
  const gone = prune ? present.filter(({ key }) => !names.has(key)) : []
  return {
    created: changed.filter(({ key }) => !byKey.has(key)).map(({ key }) => key),
    updated: changed.filter(({ key }) => byKey.has(key)).map(({ key }) => key),
    deleted: gone.map(({ key }) => key),
    unchanged: wanted.filter(isSame).map(({ key }) => key),
    steps: [
      ...changed.map((each) => ({ type: 'cas' as const, ...each, index: byKey.get(each.key)?.modifyIndex ?? 0 })),
      ...gone.map(({ key, modifyIndex }) => ({ type: 'delete-cas' as const, key, index: modifyIndex })),
    ],
  }
}

function batched(steps: readonly TxnOperation[]): readonly (readonly TxnOperation[])[] {
  const batches: TxnOperation[][] = []
  let bytes = Infinity
  for (const step of steps) {
    const size = stepBytes(step)
    const last = batches.at(-1)
    if (last === undefined || last.length >= TXN_MAX_OPERATIONS || bytes + size > TXN_MAX_REQUEST_BYTES) {
      batches.push([step])
      bytes = size
    } else {
      last.push(step)
      bytes += size
    }
  }
  return batches
}

function stepBytes(step: TxnOperation): number {
  const value = 'value' in step ? Buffer.byteLength(step.value) : 0
  const key = 'key' in step ? step.key.length * 6 : 0
  return Math.ceil(value / 3) * 4 + key + STEP_OVERHEAD_BYTES
}

async function run(
  kv: KvApi,
  txn: TxnApi,
  batches: readonly (readonly TxnOperation[])[],
  options: RequestOptions,
): Promise<void> {
  for (const [done, batch] of batches.entries()) {
    const conflict = await runBatch(kv, txn, batch, options)
    if (conflict === undefined) continue
    const before =
      done === 0 ? 'nothing was written' : `${done} of ${batches.length} transactions were carried out before`
    throw new ProconsulError(
      'PROCONSUL_CONFLICT',
      `kv.import: ${conflict}; ${before}. Run it again to go on from there`,
    )
  }
}

/** Carries out one batch; returns what stood in the way. */
async function runBatch(
  kv: KvApi,
  txn: TxnApi,
  batch: readonly TxnOperation[],
  options: RequestOptions,
): Promise<string | undefined> {
  const [only] = batch
  // A value near the limit is too large for a transaction, which sends it as base64.
  if (batch.length === 1 && only?.type === 'cas' && stepBytes(only) > TXN_MAX_REQUEST_BYTES) {
    const { key, value, index, flags } = only
    const written = await kv.set(key, value, { ...options, cas: index, ...(flags !== undefined && { flags }) })
    return written ? undefined : `${JSON.stringify(key)} was changed by another meanwhile`
  }
  const result = await txn.run(batch, options)
  return result.committed ? undefined : result.failures.map(({ reason }) => reason).join('; ')
}
