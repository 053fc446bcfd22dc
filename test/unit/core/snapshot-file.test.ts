import { chmod, chown, mkdtemp, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { SnapshotFile, type SnapshotFileOptions } from '../../../src/core/snapshot-file.js'

let folder: string
let path: string

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'proconsul-snapshot-'))
  path = join(folder, 'cache.json')
})

afterEach(async () => {
  vi.restoreAllMocks()
  await rm(folder, { recursive: true })
})

function snapshotFile(options: Partial<SnapshotFileOptions> = {}): SnapshotFile {
  return new SnapshotFile({ path, kind: 'test', version: 1, ...options })
}

async function damage(change: (content: Buffer) => Buffer): Promise<void> {
  await writeFile(path, change(await readFile(path)))
}

describe('SnapshotFile', () => {
  it('gives back what was written, and when', async () => {
    await snapshotFile().write({ a: [1, 'ü'] }, 1234)
    expect(await snapshotFile().read()).toEqual({ type: 'found', value: { a: [1, 'ü'] }, savedAt: 1234 })
  })

  it('says that a file is missing without calling it a fault', async () => {
    expect(await snapshotFile().read()).toEqual({ type: 'missing' })
  })

  it('is readable by its owner alone, in a folder made for it', async () => {
    path = join(folder, 'deep', 'er', 'cache.json')
    await snapshotFile().write(1, 0)
    expect((await stat(path)).mode & 0o777).toBe(0o600)
    expect((await stat(join(folder, 'deep'))).mode & 0o777).toBe(0o700)
  })

  it('replaces a file in one step and leaves no temporary one', async () => {
    const file = snapshotFile()
    await Promise.all(Array.from({ length: 20 }, (_, index) => file.write(index, index)))
    expect(await file.read()).toMatchObject({ value: 19 })
    expect(await readdir(folder)).toEqual(['cache.json'])
  })

  it.each([
    ['truncated', (content: Buffer) => content.subarray(0, -3), /torn/],
    ['longer than written', (content: Buffer) => Buffer.concat([content, Buffer.from('x')]), /torn/],
    ['cut inside its header', (content: Buffer) => content.subarray(0, 10), /header/],
    ['emptied', () => Buffer.alloc(0), /header/],
    ['changed in one byte', (content: Buffer) => Buffer.from(content.toString().replace('good', 'evil')), /checksum/],
    ['not ours at all', () => Buffer.from('[1,2]\nx'), /header/],
    ['ours with a senseless header', () => Buffer.from('{"kind":1}\nx'), /header/],
  ])('ignores a file that is %s', async (_name, change, message) => {
    await snapshotFile().write('good', 0)
    await damage(change)
    const read = await snapshotFile().read()
    expect(read).toMatchObject({ type: 'unusable', problem: 'corrupt', error: { code: 'PROCONSUL_CACHE_FAILED' } })
    expect(read.type === 'unusable' && read.error.message).toMatch(message)
  })

  it('ignores a file of another kind or version', async () => {
    await snapshotFile().write(1, 0)
    expect(await snapshotFile({ kind: 'other' }).read()).toMatchObject({ problem: 'other-kind' })
    expect(await snapshotFile({ version: 2 }).read()).toMatchObject({ problem: 'other-version' })
  })

  it.each([0o640, 0o604, 0o620, 0o666])('ignores a file of mode %o, which others can open', async (mode) => {
    await snapshotFile().write(1, 0)
    await chmod(path, mode)
    expect(await snapshotFile().read()).toMatchObject({ type: 'unusable', problem: 'too-open' })
  })

  it('ignores a file of another user, though its mode is right', async () => {
    await snapshotFile().write(1, 0)
    const own = process.getuid?.() ?? 0
    // Only root can give a file away; anybody else takes another name.
    if (own === 0) await chown(path, 65_534, 65_534)
    else vi.spyOn(process, 'getuid').mockReturnValue(own + 1)
    expect(await snapshotFile().read()).toMatchObject({ type: 'unusable', problem: 'too-open' })
  })

  it.runIf(process.getuid?.() === 0)('takes a file of root, whoever reads it', async () => {
    await snapshotFile().write(1, 0)
    vi.spyOn(process, 'getuid').mockReturnValue(1_000)
    expect(await snapshotFile().read()).toMatchObject({ type: 'found', value: 1 })
  })

  it('neither reads nor writes a file over its limit, and keeps the old one', async () => {
    await snapshotFile().write('old', 0)
    await expect(snapshotFile({ maxBytes: 200 }).write('x'.repeat(300), 0)).rejects.toMatchObject({
      code: 'PROCONSUL_CACHE_FAILED',
    })
    expect(await snapshotFile().read()).toMatchObject({ value: 'old' })
    expect(await snapshotFile({ maxBytes: 20 }).read()).toMatchObject({ problem: 'too-large' })
  })

  it('reports a place that cannot be written or read, and goes on writing afterwards', async () => {
    const file = snapshotFile({ path: folder })
    await expect(file.write(1, 0)).rejects.toMatchObject({ code: 'PROCONSUL_CACHE_FAILED' })
    await expect(file.write(1, 0)).rejects.toMatchObject({ code: 'PROCONSUL_CACHE_FAILED' })
    expect((await file.read()).type).toBe('unusable')
    expect((await readdir(folder)).length).toBe(0)
  })
})
