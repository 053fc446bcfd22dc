import { mkdtemp, readdir, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, it } from 'vitest'
import { withFileLock } from '../support/provision/file-lock.js'

let folder: string

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'proconsul-lock-'))
})
afterEach(() => rm(folder, { recursive: true, force: true }))

it('lets one task in at a time', async () => {
  let inside = 0
  const task = async (): Promise<number> => {
    inside += 1
    const seen = inside
    await new Promise((resolve) => setImmediate(resolve))
    inside -= 1
    return seen
  }
  const run = (): Promise<number> => withFileLock(join(folder, 'lock'), 5_000, task)
  expect(await Promise.all([run(), run(), run()])).toEqual([1, 1, 1])
  expect(await readdir(folder)).toEqual([])
})

it('takes over the lock of a process that is dead', async () => {
  // Beyond the largest process id of any system.
  await writeFile(join(folder, 'lock'), '2147483647')
  expect(await withFileLock(join(folder, 'lock'), 5_000, () => Promise.resolve('in'))).toBe('in')
})

it('opens the lock when the task fails', async () => {
  const run = (task: () => Promise<unknown>): Promise<unknown> => withFileLock(join(folder, 'lock'), 5_000, task)
  await expect(run(() => Promise.reject(new Error('no')))).rejects.toThrow('no')
  expect(await run(() => Promise.resolve('in'))).toBe('in')
})
