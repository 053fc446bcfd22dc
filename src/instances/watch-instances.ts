import type { Clock } from '../core/clock.js'
import type { Logger } from '../core/logger.js'
import { checkObject, checkSignal, checkString } from '../core/option-check.js'
import type { Runtime } from '../core/runtime.js'
import { resolveRuntime } from '../core/runtime-options.js'
import { invalidOption } from '../errors/invalid-option.js'
import { resolveLossGuard, type LossGuardOptions } from '../live/loss-guard-options.js'
import { givenSource } from './given-source.js'
import { GUARD_DEFAULTS, resolveFailoverTimes, type FailoverTimes } from './guard-options.js'
import { guardedSource } from './guarded-source.js'
import type { InstanceSource } from './instance-source.js'
import { ServiceWatcher } from './service-watcher.js'

/** Further sources to fall back on. */
export interface SourceFailoverOptions extends FailoverTimes {
  /** In order of preference, after the first. */
  readonly sources: readonly InstanceSource[]
}

/** How to follow a source. */
export interface WatchInstancesOptions {
  /** Keeps what was known through a sudden loss of most instances. Default: on. `false` shows every loss at once. */
  readonly lossGuard?: LossGuardOptions | false | undefined
  /** Fall back on other sources. Default: none. */
  readonly failover?: SourceFailoverOptions | undefined
  /** File that keeps the last list, from which a process starts while the source cannot be read. Default: none. */
  readonly cacheFile?: string | undefined
  /** Closes the watcher. */
  readonly signal?: AbortSignal | undefined
  /** Where to tell of turns of events. Default: silent, but for `NODE_DEBUG=proconsul`. */
  readonly logger?: Logger | undefined
  /** The clock. For tests. */
  readonly clock?: Clock | undefined
}

const OPTIONS: readonly (keyof WatchInstancesOptions)[] = [
  'lossGuard',
  'failover',
  'cacheFile',
  'signal',
  'logger',
  'clock',
]

/**
 * Follows the instances that a source yields: of a registry of one's own, a file, a fixed list. The watcher is the one of
 * `consul.watchService`, with its events, its last good list and its guards. The source is not trusted: what is no list of instances is
 * an `error` that names the field.
 * @throws ProconsulError `PROCONSUL_INVALID_OPTION`
 */
export function watchInstances(source: InstanceSource, options: WatchInstancesOptions = {}): ServiceWatcher {
  checkObject('options', options, OPTIONS)
  const { failover, cacheFile } = options
  const runtime = resolveRuntime(options)
  const preferred = givenSource('source', source, runtime)
  const times = failover === undefined ? undefined : resolveFailoverTimes(failover, ['sources'])
  const others = failover === undefined ? [] : furtherSources(failover, runtime)
  const guarded = guardedSource(preferred, others, {
    runtime,
    lossGuard: resolveLossGuard(options.lossGuard, GUARD_DEFAULTS.lossGuard),
    failover: times,
    cacheFile: cacheFile === undefined ? undefined : checkString('cacheFile', cacheFile),
    cacheKind: `instances of ${preferred.label}`,
  })
  const signal = checkSignal('signal', options.signal)
  return new ServiceWatcher(preferred.label, { runtime, source: guarded, signal })
}

function furtherSources({ sources }: SourceFailoverOptions, runtime: Runtime): readonly InstanceSource[] {
  if (!Array.isArray(sources) || sources.length === 0) {
    throw invalidOption('failover.sources', sources, 'an array of at least one source')
  }
  return sources.map((source: InstanceSource, place) => givenSource(`failover.sources[${place}]`, source, runtime))
}
