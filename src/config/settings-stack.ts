import type { Runtime } from '../core/runtime.js'
import type { LiveSource } from '../live/live-source.js'
import { appliedSource, type AppliedSourceParts } from './apply/applied-source.js'
import type { Applier } from './assembly/applier.js'
import { DocumentReader } from './assembly/documents.js'
import { cachedSource } from './cache/cached-source.js'
import type { CachedConfig, ConfigCache } from './cache/config-cache.js'
import { FirstLoad } from './first-load.js'
import type { LayerFormat } from './formats/layer-format.js'
import { lossGuard, type LossGuardParts } from './guard/loss-guard.js'
import type { ResolvedConfigOptions } from './options/config-options.js'
import { Settings } from './settings.js'
import type { LayerState } from './source/layer-state.js'

/** What stands between the keys and the settings. */
export interface StackParts<T>
  extends Pick<AppliedSourceParts<T>, 'explainMissing'>, Pick<LossGuardParts, 'missingKeys'> {
  readonly runtime: Runtime
  readonly options: ResolvedConfigOptions<T>
  readonly format: LayerFormat
  readonly applier: Applier<T>
  /** Where to keep the last good state, and what an earlier run kept there. */
  readonly cache: ConfigCache | undefined
  readonly cached: CachedConfig | undefined
  readonly onClose: () => void
}

/** The settings, and how their first load goes. */
export interface OpeningSettings<T> {
  readonly settings: Settings<T>
  /** Resolves when there is a value; the settings are to be closed when it rejects. */
  readonly outcome: Promise<void>
}

/** Makes settings of the layers: each step is a source on top of another. */
export function stackSettings<T>(source: LiveSource<LayerState>, parts: StackParts<T>): OpeningSettings<T> {
  const { runtime, options, format, applier, cache, cached, missingKeys, explainMissing, onClose } = parts
  const { layers, debounceMs, holdMs, timeoutMs, signal, startsWithDefaults } = options
  const known = cached && {
    entries: cached.layers.flatMap(({ documents }) => documents),
    index: cached.version,
    isEarlierRun: true,
  }
  const guarded = lossGuard(source, { clock: runtime.clock, layers, missingKeys, holdMs, known })
  const documents = new DocumentReader(layers, format)
  const applied = appliedSource(guarded, { runtime, layers, debounceMs, documents, applier, explainMissing })
  const kept = cache === undefined ? applied : cachedSource(applied, cache, runtime)
  const nothing = startsWithDefaults ? layers.map((layer) => ({ layer, documents: [] })) : undefined
  const load = new FirstLoad(kept, { runtime, applier, timeoutMs, cached, nothing, signal })
  return { settings: new Settings<T>({ runtime, source: load, signal, onClose }), outcome: load.outcome }
}
