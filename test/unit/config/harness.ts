import { Applier } from '../../../src/config/assembly/applier.js'
import type { CachedConfig, ConfigCache } from '../../../src/config/cache/config-cache.js'
import type { Fate, Missing } from '../../../src/config/guard/missing-keys.js'
import { resolveConfigOptions, type ConfigOptions } from '../../../src/config/options/config-options.js'
import { stackSettings } from '../../../src/config/settings-stack.js'
import type { Settings } from '../../../src/config/settings.js'
import { keepEntries, type LayerState } from '../../../src/config/source/layer-state.js'
import type { TreeObject } from '../../../src/config/tree/tree.js'
import { ProconsulError, type ProconsulErrorCode } from '../../../src/errors/proconsul-error.js'
import type { Observer } from '../../../src/live/live-source.js'
import { FakeClock, settle } from '../../support/fake-clock.js'
import { recordingLogger, type RecordingLogger } from '../../support/recording-logger.js'
import { entriesOf, type Store } from './pipeline.js'

/** Whoever opens a configuration may hand over these beside its options. */
export interface HarnessParts {
  readonly cache?: ConfigCache
  readonly cached?: CachedConfig
  readonly clock?: FakeClock
}

/** A configuration whose states a test pushes by hand. */
export class Harness {
  readonly clock: FakeClock
  readonly logger: RecordingLogger = recordingLogger()
  readonly settings: Settings<TreeObject>
  readonly outcome: Promise<void>
  /** What is asked about keys that are missing, and what the answer is. */
  readonly asked: Missing[] = []
  fate: Fate | Promise<Fate> = 'deleted'
  isNoneReadable = false
  isSourceClosed = false
  readonly #observer: Observer<LayerState>
  #state: LayerState = { entries: [], index: 0, isFiltered: false, confirmedAt: 0 }

  constructor(options: Partial<ConfigOptions> = {}, { cache, cached, clock = new FakeClock() }: HarnessParts = {}) {
    this.clock = clock
    const runtime = { clock, logger: this.logger, random: () => 0.5 }
    const resolved = resolveConfigOptions({ layers: ['a'], ...options })
    let observer: Observer<LayerState> | undefined
    const source = {
      label: 'the configuration of the layers "a"',
      observe: (by: Observer<LayerState>) => {
        observer = by
        return { close: () => void (this.isSourceClosed = true) }
      },
    }
    const { settings, outcome } = stackSettings<TreeObject>(source, {
      runtime,
      options: resolved,
      format: { type: 'keys', coerce: false },
      applier: new Applier<TreeObject>(resolved, 'keys', clock),
      cache,
      cached,
      missingKeys: {
        fateOf: async (missing) => {
          this.asked.push(missing)
          return await this.fate
        },
        isNoneReadable: () => Promise.resolve(this.isNoneReadable),
      },
      explainMissing: () => Promise.resolve('; beside it there is "b"'),
      onClose: () => undefined,
    })
    this.settings = settings
    this.outcome = outcome
    if (observer === undefined) throw new Error('nobody observes the source')
    this.#observer = observer
  }

  async open(store: Store = { 'a/x': '1' }): Promise<Settings<TreeObject>> {
    await this.push(store)
    await this.outcome
    return this.settings
  }

  async push(store: Store, facts: Partial<LayerState> = {}): Promise<void> {
    const { entries, index } = this.#state
    const next = { entries: keepEntries(entries, entriesOf(store)), index: index + 1, isFiltered: false }
    this.#state = { ...next, confirmedAt: this.clock.now(), ...facts }
    this.#observer.onValue(this.#state)
    await settle()
  }

  /** The same state was read again. */
  async confirm(): Promise<void> {
    this.#state = { ...this.#state, confirmedAt: this.clock.now() }
    this.#observer.onValue(this.#state)
    await settle()
  }

  async fail(code: ProconsulErrorCode = 'PROCONSUL_UNAVAILABLE'): Promise<void> {
    await settle()
    this.#observer.onFailure(new ProconsulError(code, 'no answer'))
    await settle()
  }
}

/** What an earlier run has kept. */
export function cachedOf(store: Store, version = 10): CachedConfig {
  const documents = Object.entries(store).map(([key, text]) => ({
    key,
    name: key.slice(key.indexOf('/') + 1),
    modifyIndex: 1,
    tree: String(text),
  }))
  return { layers: [{ layer: { path: 'a', folder: 'a/', optional: false }, documents }], version, savedAt: 1_000 }
}
