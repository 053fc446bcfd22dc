import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { ConfigFact, ConfigObserver } from '../../../../src/config/apply/config-source.js'
import { cachedSource } from '../../../../src/config/cache/cached-source.js'
import { CONFIG_CACHE, ConfigCache } from '../../../../src/config/cache/config-cache.js'
import { resolveLayers } from '../../../../src/config/layers/layer.js'
import type { TreeObject } from '../../../../src/config/tree/tree.js'
import { SnapshotFile } from '../../../../src/core/snapshot-file.js'
import type { Hold } from '../../../../src/live/live-source.js'
import { FakeClock } from '../../../support/fake-clock.js'
import { recordingLogger, type RecordingLogger } from '../../../support/recording-logger.js'
import { pipeline } from '../pipeline.js'

let folder: string

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'proconsul-cached-'))
})

afterAll(async () => {
  await rm(folder, { recursive: true })
})

class Kept {
  readonly heard: unknown[] = []
  readonly logger: RecordingLogger = recordingLogger()
  readonly cache: ConfigCache
  readonly hold: Hold
  #source: ConfigObserver<TreeObject> | undefined

  constructor(path: string) {
    const identity = { layers: resolveLayers(['a'], false), format: 'keys', tenancy: {}, key: undefined } as const
    this.cache = new ConfigCache(new SnapshotFile({ path, ...CONFIG_CACHE }), identity)
    const source = {
      label: 'layers',
      observe: (observer: ConfigObserver<TreeObject>) => {
        this.#source = observer
        return { close: () => undefined }
      },
    }
    const runtime = { clock: new FakeClock(1_000), logger: this.logger, random: () => 0 }
    this.hold = cachedSource(source, this.cache, runtime).observe({
      onValue: ({ value }) => this.heard.push(value),
      onFailure: () => this.heard.push('failure'),
      onDoubt: () => this.heard.push('doubt'),
      onRejected: () => this.heard.push('rejected'),
      onMissing: () => this.heard.push('missing'),
      onSaved: () => this.heard.push('saved'),
      onProblem: ({ code }) => this.heard.push(code),
    })
  }

  push(fact: ConfigFact<TreeObject>): void {
    this.#source?.onValue(fact)
  }
}

async function facts(...texts: string[]): Promise<ConfigFact<TreeObject>[]> {
  const { apply } = await pipeline({ layers: ['a'] })
  const made: ConfigFact<TreeObject>[] = []
  for (const text of texts) made.push({ ...(await apply({ 'a/x': text })), confirmedAt: 1 })
  return made
}

describe('what is applied', () => {
  it('is kept, the last of what came while a write was under way, and told at once', async () => {
    const kept = new Kept(join(folder, 'good'))
    for (const fact of await facts('1', '2', '3')) kept.push(fact)
    expect(kept.heard).toEqual([{ x: '1' }, { x: '2' }, { x: '3' }])
    await kept.hold.close()
    expect(await kept.cache.read()).toMatchObject({ type: 'found', config: { savedAt: 1_000 } })
    expect(await readFile(join(folder, 'good'), 'utf8')).toContain('"tree":"3"')
  })

  it('is not written again when it was only read again', async () => {
    const path = join(folder, 'same')
    const kept = new Kept(path)
    const [fact] = await facts('1')
    if (fact === undefined) throw new Error('there is none')
    kept.push(fact)
    await kept.hold.close()
    await rm(path)
    kept.push({ ...fact, confirmedAt: 2 })
    await kept.hold.close()
    expect(await kept.cache.read()).toEqual({ type: 'missing' })
  })

  it('goes on when it cannot be kept; the log has a line for the first failure', async () => {
    const kept = new Kept(folder)
    for (const fact of await facts('1', '2')) {
      kept.push(fact)
      await kept.hold.close()
    }
    expect(kept.heard).toEqual([{ x: '1' }, 'PROCONSUL_CACHE_FAILED', { x: '2' }, 'PROCONSUL_CACHE_FAILED'])
    expect(kept.logger.entries.map(({ fields }) => fields['event'])).toEqual(['cache-failed'])
  })
})
