import { createHash, randomUUID } from 'node:crypto'
import { constants } from 'node:fs'
import { mkdir, open, rename, rm, type FileHandle } from 'node:fs/promises'
import { dirname } from 'node:path'
import { ProconsulError } from '../errors/proconsul-error.js'
import { isRecord } from './option-check.js'

/**
 * One JSON value kept in a file for a start without Consul. The file is a header line with a checksum and the value after it. It is
 * written to a temporary file and renamed into place, so that a reader finds the old content or the new one, never a part; and it is
 * readable by its owner alone. What cannot be trusted is reported with a reason and never used.
 */

/** Which file, and what it must hold to be ours. */
export interface SnapshotFileOptions {
  readonly path: string
  /** What kind of value it holds, such as `config`. A file of another kind is refused. */
  readonly kind: string
  /** The version of the value's shape. A file of another version is refused. */
  readonly version: number
  /** The largest file to read or write, in bytes. Default {@link SNAPSHOT_FILE_MAX_BYTES}. */
  readonly maxBytes?: number
}

/** 64 MB: ten times the largest answer for 5,000 instances, and a bound on what a damaged file can cost at start. */
export const SNAPSHOT_FILE_MAX_BYTES = 64 * 1024 * 1024

/** Why a file is not used. */
export type SnapshotFileProblem = 'unreadable' | 'too-open' | 'too-large' | 'corrupt' | 'other-kind' | 'other-version'

/** What reading a file yields. */
export type SnapshotRead =
  | { readonly type: 'found'; readonly value: unknown; /** Wall time of the writing. */ readonly savedAt: number }
  | { readonly type: 'missing' }
  | { readonly type: 'unusable'; readonly problem: SnapshotFileProblem; readonly error: ProconsulError }

/** Bits of the mode that let anyone but the owner in. */
const OTHERS = 0o077
const OWNER_ONLY = 0o600

interface Header {
  readonly kind: string
  readonly version: number
  readonly savedAt: number
  readonly bytes: number
  readonly sha256: string
}

/** Reads and writes one snapshot file. */
export class SnapshotFile {
  readonly #options: SnapshotFileOptions
  #writing: Promise<void> = Promise.resolve()

  constructor(options: SnapshotFileOptions) {
    this.#options = options
  }

  /** The value last written, or why there is none. Never rejects. */
  async read(): Promise<SnapshotRead> {
    let file: FileHandle | undefined
    try {
      file = await open(this.#options.path, constants.O_RDONLY)
      return await this.#readOpen(file)
    } catch (cause) {
      if (isMissing(cause)) return { type: 'missing' }
      return this.#unusable('unreadable', 'cannot be read', cause)
    } finally {
      await file?.close()
    }
  }

  /**
   * Replaces the file, making its folder where that is missing. Calls are carried out in order.
   * @param savedAt wall time in milliseconds, handed back by `read`.
   * @throws ProconsulError `PROCONSUL_CACHE_FAILED` when it cannot be written or is too large; the old file is then as it was.
   */
  async write(value: unknown, savedAt: number): Promise<void> {
    const turn = this.#writing.then(() => this.#replace(value, savedAt))
    this.#writing = turn.catch(() => undefined)
    await turn
  }

  async #readOpen(file: FileHandle): Promise<SnapshotRead> {
    const { mode, size, uid } = await file.stat()
    // Windows has no such modes; there the folder's own protection counts.
    if (process.platform !== 'win32' && ((mode & OTHERS) !== 0 || (uid !== process.getuid?.() && uid !== 0))) {
      return this.#unusable('too-open', 'can be changed or read by others; it must belong to this user with mode 0600')
    }
    if (size > this.#maxBytes) return this.#unusable('too-large', `is larger than ${this.#maxBytes} bytes`)
    return this.#parse(await file.readFile())
  }

  #parse(content: Buffer): SnapshotRead {
    const end = content.indexOf('\n')
    const header = end < 0 ? undefined : parseHeader(content.subarray(0, end).toString('utf8'))
    if (header === undefined) return this.#unusable('corrupt', 'has no header of a snapshot')
    const { kind, version } = this.#options
    if (header.kind !== kind) return this.#unusable('other-kind', `holds "${header.kind}" and not "${kind}"`)
    if (header.version !== version) {
      return this.#unusable('other-version', `has version ${header.version}, and this program reads ${version}`)
    }
    const body = content.subarray(end + 1)
    if (body.length !== header.bytes) {
      return this.#unusable('corrupt', `is torn: ${body.length} bytes where ${header.bytes} were written`)
    }
    if (checksum(body) !== header.sha256) return this.#unusable('corrupt', 'does not match its checksum')
    return { type: 'found', value: JSON.parse(body.toString('utf8')), savedAt: header.savedAt }
  }

  async #replace(value: unknown, savedAt: number): Promise<void> {
    const { path, kind, version } = this.#options
    const body = Buffer.from(JSON.stringify(value))
    const header: Header = { kind, version, savedAt, bytes: body.length, sha256: checksum(body) }
    const content = Buffer.concat([Buffer.from(`${JSON.stringify(header)}\n`), body])
    if (content.length > this.#maxBytes) {
      throw this.#error(`would be ${content.length} bytes, more than ${this.#maxBytes}; it stays as it was`)
    }
    const temporary = `${path}.${randomUUID()}.tmp`
    try {
      await mkdir(dirname(path), { recursive: true, mode: 0o700 })
      await writeAndSync(temporary, content)
      await rename(temporary, path)
    } catch (cause) {
      await rm(temporary, { force: true }).catch(() => undefined)
      throw this.#error('cannot be written; it stays as it was', cause)
    }
  }

  get #maxBytes(): number {
    return this.#options.maxBytes ?? SNAPSHOT_FILE_MAX_BYTES
  }

  #unusable(problem: SnapshotFileProblem, what: string, cause?: unknown): SnapshotRead {
    return { type: 'unusable', problem, error: this.#error(`${what}; it is ignored`, cause) }
  }

  #error(what: string, cause?: unknown): ProconsulError {
    const message = `the cache file ${JSON.stringify(this.#options.path)} ${what}`
    return new ProconsulError('PROCONSUL_CACHE_FAILED', message, { cause })
  }
}

async function writeAndSync(path: string, content: Buffer): Promise<void> {
  const file = await open(path, 'wx', OWNER_ONLY)
  try {
    await file.writeFile(content)
    // Without it a crash of the machine may leave the new name with no content.
    await file.sync()
  } finally {
    await file.close()
  }
}

function parseHeader(line: string): Header | undefined {
  let header: unknown
  try {
    header = JSON.parse(line)
  } catch {
    return undefined
  }
  if (!isRecord(header)) return undefined
  const { kind, version, savedAt, bytes, sha256 } = header
  if (typeof kind !== 'string' || typeof version !== 'number' || typeof savedAt !== 'number') return undefined
  if (typeof bytes !== 'number' || typeof sha256 !== 'string') return undefined
  return { kind, version, savedAt, bytes, sha256 }
}

function checksum(body: Buffer): string {
  return createHash('sha256').update(body).digest('hex')
}

function isMissing(error: unknown): boolean {
  return error instanceof Error && 'code' in error && (error.code === 'ENOENT' || error.code === 'ENOTDIR')
}
