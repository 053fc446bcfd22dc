import { tell } from '../../core/channels.js'
import type { Runtime } from '../../core/runtime.js'
import type { ProconsulError } from '../../errors/proconsul-error.js'
import { holdOver } from '../../live/live-source.js'
import { configObserverOver, type ConfigFact, type ConfigSource } from '../apply/config-source.js'
import { CacheWriter } from './cache-writer.js'
import type { ConfigCache } from './config-cache.js'

/** The same configurations, each kept in a file behind the changes. That a file cannot be written is told once, until it can. */
export function cachedSource<T>(source: ConfigSource<T>, cache: ConfigCache, runtime: Runtime): ConfigSource<T> {
  return {
    label: source.label,
    observe(observer) {
      const writer = new CacheWriter(cache, runtime.clock)
      let kept: unknown
      let isFailing = false
      const onWritten = (error: ProconsulError | undefined): void => {
        const isNews = error !== undefined && !isFailing
        isFailing = error !== undefined
        if (error === undefined) return
        if (isNews) tell(runtime.logger, 'cache-failed', { source: source.label, err: error }, error.message)
        observer.onProblem(error)
      }
      const onValue = (fact: ConfigFact<T>): void => {
        if (fact.layers !== kept) writer.save(fact, onWritten)
        kept = fact.layers
        observer.onValue(fact)
      }
      const hold = source.observe(configObserverOver(observer, { onValue }))
      return holdOver(hold, {
        close: async () => {
          await hold.close()
          await writer.idle()
        },
      })
    },
  }
}
