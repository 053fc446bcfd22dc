import { randomUUID } from 'node:crypto'
import { link, mkdir, readFile, rm, writeFile } from 'node:fs/promises'
import { dirname } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'

/**
 * Runs `task` while no other process holds the lock file at `path`. A lock whose process is dead is taken over, so that a killed
 * run blocks nobody.
 */
export async function withFileLock<T>(path: string, within: number, task: () => Promise<T>): Promise<T> {
  await mkdir(dirname(path), { recursive: true })
  const deadline = performance.now() + within
  while (!(await claim(path))) {
    if (performance.now() > deadline) throw new Error(`${path} is held by process ${await owner(path)} for too long`)
    await pause(50)
  }
  try {
    return await task()
  } finally {
    await rm(path, { force: true })
  }
}

async function claim(path: string): Promise<boolean> {
  // Linked rather than opened and then written, so that no lock is ever seen without its owner.
  const mine = `${path}.${randomUUID()}`
  await writeFile(mine, String(process.pid))
  try {
    await link(mine, path)
    return true
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error
  } finally {
    await rm(mine, { force: true })
  }
  const holder = Number(await owner(path))
  if (holder > 0 && !isRunning(holder)) await rm(path, { force: true })
  return false
}

async function owner(path: string): Promise<string> {
  return readFile(path, 'utf8').catch(() => '')
}

/** Whether a process of that id exists. */
export function isRunning(pid: number): boolean {
  try {
    process.kill(pid, 0)
    return true
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM'
  }
}
