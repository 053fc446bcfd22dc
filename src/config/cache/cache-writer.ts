import type { Clock } from '../../core/clock.js'
import { ProconsulError, isProconsulError } from '../../errors/proconsul-error.js'
import type { ConfigCache, KeptConfig } from './config-cache.js'

/** Writes the cache behind the changes, one write at a time; of several states that came meanwhile only the last. */
export class CacheWriter {
  readonly #cache: ConfigCache
  readonly #clock: Clock
  #next: (() => Promise<void>) | undefined
  #writing: Promise<void> | undefined

  constructor(cache: ConfigCache, clock: Clock) {
    this.#cache = cache
    this.#clock = clock
  }

  /** Keeps a state. How it went goes to `onWritten`: the configuration itself does not depend on it. */
  save(config: KeptConfig, onWritten: (error: ProconsulError | undefined) => void): void {
    const savedAt = this.#clock.now()
    this.#next = async () => {
      try {
        await this.#cache.write(config, savedAt)
        onWritten(undefined)
      } catch (error) {
        onWritten(isProconsulError(error) ? error : unexpected(error))
      }
    }
    this.#writing ??= this.#run()
  }

  /** Resolves when nothing is being written. */
  async idle(): Promise<void> {
    await this.#writing
  }

  async #run(): Promise<void> {
    for (let write = this.#next; write !== undefined; write = this.#next) {
      this.#next = undefined
      await write()
    }
    this.#writing = undefined
  }
}

function unexpected(cause: unknown): ProconsulError {
  return new ProconsulError('PROCONSUL_CACHE_FAILED', 'the cache file could not be written', { cause })
}
