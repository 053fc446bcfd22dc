import { readFile, readdir, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { ProconsulError } from '../errors/proconsul-error.js'
import { fileVersion } from './file-version.js'

/** PEM text or bytes, or where they lie. `option` is what a user wrote them under. */
export type PemSource =
  | { readonly type: 'inline'; readonly option: string; readonly pem: string | Buffer }
  | { readonly type: 'file' | 'directory'; readonly option: string; readonly path: string }

/** What was read, and how messages speak of where it came from. */
export interface PemText {
  readonly pem: string | Buffer
  /** `tls.caFile is "/certs/ca.pem", which`, for a sentence that goes on. Never the text itself. */
  readonly shown: string
}

/** Reads a source. Throws `PROCONSUL_INVALID_OPTION`, naming the option, when it cannot be read. */
export async function readPem(source: PemSource): Promise<readonly PemText[]> {
  if (source.type === 'inline') return [{ pem: source.pem, shown: source.option }]
  return await orUnreadable(source, async () => {
    const paths = source.type === 'file' ? [source.path] : await filesIn(source.path)
    return await Promise.all(
      paths.map(async (path) => ({
        pem: await readFile(path),
        shown: `${source.option} is ${JSON.stringify(path)}, which`,
      })),
    )
  })
}

/** A text that is another when a file of the source was written anew or replaced, or one came or went. */
export async function pemVersion(source: PemSource): Promise<string> {
  if (source.type === 'inline') return ''
  return await orUnreadable(source, async () => {
    const paths = source.type === 'file' ? [source.path] : await filesIn(source.path)
    return (await Promise.all(paths.map(async (path) => `${path}=${fileVersion(await stat(path))}`))).join('\n')
  })
}

/**
 * The files of a directory. Kubernetes mounts a ConfigMap or a Secret as links to files in a hidden folder that `..data` points to: links
 * are followed, hidden entries and folders are not looked at.
 */
async function filesIn(folder: string): Promise<readonly string[]> {
  const names = (await readdir(folder)).filter((name) => !name.startsWith('.')).sort()
  const paths = names.map((name) => join(folder, name))
  const isFile = await Promise.all(paths.map(async (path) => (await stat(path)).isFile()))
  return paths.filter((_path, place) => isFile[place])
}

async function orUnreadable<T>(
  { option, path, type }: Exclude<PemSource, { type: 'inline' }>,
  work: () => Promise<T>,
): Promise<T> {
  try {
    return await work()
  } catch (cause) {
    const message = `${option} is ${JSON.stringify(path)}, which cannot be read; expected a readable ${type}`
    throw new ProconsulError('PROCONSUL_INVALID_OPTION', message, { cause })
  }
}
