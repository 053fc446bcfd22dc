import type { Runtime } from '../core/runtime.js'
import { SnapshotFile } from '../core/snapshot-file.js'
import type { ResolvedLossGuard } from '../live/loss-guard-options.js'
import { failover } from './failover.js'
import type { ResolvedFailover } from './guard-options.js'
import { cachedSource, type SavedList } from './instance-cache.js'
import type { InstanceSource } from './instance-source.js'
import { lossGuard } from './loss-guard.js'
import { SAVED_VERSION } from './saved-instances.js'

/** What guards a source. */
export interface Guards {
  readonly runtime: Runtime
  readonly lossGuard: ResolvedLossGuard | undefined
  readonly failover: ResolvedFailover | undefined
  readonly cacheFile: string | undefined
  /** What is kept in the cache file. A file of anything else is not used. */
  readonly cacheKind: string
}

/**
 * The source with all its guards, the innermost first: each source against a loss, the failover over all of them, the cache file around
 * that. What the file holds goes down to the guard of the source that it came from, as what was known of it.
 * @param source the preferred one
 * @param others to fall back on, in order of preference
 */
export function guardedSource(
  source: InstanceSource,
  others: readonly InstanceSource[],
  { runtime, cacheFile, cacheKind, ...guards }: Guards,
): InstanceSource {
  const stack = (saved?: SavedList, onServing?: (label: string) => void): InstanceSource => {
    const known = saved === undefined ? undefined : [source, ...others].find(({ label }) => label === saved.servedBy)
    const guarded = [source, ...others].map((each) => {
      if (guards.lossGuard === undefined) return each
      return lossGuard(each, { runtime, options: guards.lossGuard, saved: each === known ? saved : undefined })
    })
    const [first = source] = guarded
    if (guards.failover === undefined || others.length === 0) return first
    return failover(guarded, { runtime, options: guards.failover, onServing: ({ label }) => onServing?.(label) })
  }
  if (cacheFile === undefined) return stack()
  const file = new SnapshotFile({ path: cacheFile, kind: cacheKind, version: SAVED_VERSION })
  return cachedSource({ runtime, file, label: source.label, open: stack })
}
