import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Settings } from '../../src/config/settings.js'
import type { TreeObject } from '../../src/config/tree/tree.js'
import { afterTest } from '../support/opened.js'

/** A folder for cache files, removed after the test. */
export async function cacheFolder(): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'proconsul-config-'))
  afterTest(() => rm(folder, { recursive: true }))
  return folder
}

/** The names of the events that a configuration tells from now on, in order. */
export function events(settings: Settings<TreeObject>): string[] {
  const seen: string[] = []
  for (const name of ['change', 'rejected', 'stale', 'recovered'] as const) settings.on(name, () => seen.push(name))
  return seen
}
