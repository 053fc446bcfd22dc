import type { Random } from './backoff.js'
import type { Clock } from './clock.js'
import type { Logger } from './logger.js'

/** What every loop is given instead of reaching for it: time, chance, and a place for messages. */
export interface Runtime {
  readonly clock: Clock
  readonly random: Random
  readonly logger: Logger
}
