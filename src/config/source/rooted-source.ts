import type { KvKeysOptions } from '../../api/kv.js'
import type { Answer } from '../../api/wire.js'
import { AbortLink, throwIfAborted } from '../../core/abort.js'
import { backoffMs } from '../../core/backoff.js'
import { sleep } from '../../core/sleep.js'
import { ProconsulError, isProconsulError } from '../../errors/proconsul-error.js'
import { CoverSource } from './cover-source.js'
import { countForeign, type Coverage } from './coverage.js'
import type { LayerScope, SourceParts } from './layer-reader.js'
import type { LayerState, StateObserver, StateSource } from './layer-state.js'
import { SplitSource } from './split-source.js'

/** Layers in one folder: which way to read them depends on what else is in it. */
interface Rooted extends Coverage {
  readonly cover: string
}

/** Beside more keys of others than this, the layers are read apart from the start. */
const FOREIGN_KEYS_ALLOWED = 400

/** More names than this are not read to find out how many of them belong to others. */
const NAMES_MAX_BYTES = 256 * 1024

const DELAYS = Object.freeze({ firstMs: 100, maxMs: 10_000 })

/**
 * Looks at the names in the folder that the layers share, and reads the folder as a whole if it holds little else, or layer by layer if
 * it does. Should others outgrow the layers later, or change so often that most reads are for nothing, or should the token not be allowed
 * to read the folder any more, it changes over.
 */
export class RootedSource implements StateSource {
  readonly #parts: SourceParts
  readonly #scope: LayerScope
  readonly #coverage: Rooted
  readonly #observer: StateObserver
  readonly #link = new AbortLink()
  #source: StateSource | undefined

  constructor(parts: SourceParts, scope: LayerScope, coverage: Rooted, observer: StateObserver) {
    this.#parts = parts
    this.#scope = scope
    this.#coverage = coverage
    this.#observer = observer
  }

  start(): this {
    void this.#choose()
    return this
  }

  close(): void {
    this.#link.abort(new ProconsulError('PROCONSUL_CLOSED', 'the configuration is closed'))
    this.#source?.close()
  }

  async #choose(): Promise<void> {
    const { signal } = this.#link
    const { runtime } = this.#parts
    for (let attempt = 0; ; attempt += 1) {
      try {
        const isCrowded = await this.#isCrowded()
        throwIfAborted(signal)
        this.#source = isCrowded ? this.#splitting() : this.#covering()
        // The sources tell of a recovery only after a failure of their own.
        if (attempt > 0) this.#observer.onRecovery(false)
        return
      } catch (error) {
        if (signal.aborted || !isProconsulError(error)) return
        // A token may be allowed to list the layers and not the folder around them (acl.enable_key_list_policy).
        if (error.code === 'PROCONSUL_PERMISSION_DENIED') {
          this.#source = this.#splitting()
          return
        }
        this.#observer.onFailure(error)
        const delayMs = backoffMs(attempt, DELAYS, runtime.random)
        await sleep(delayMs, { clock: runtime.clock, signal }).catch(() => undefined)
      }
    }
  }

  /** Asks for the names of all keys only where those of the first level leave it open. */
  async #isCrowded(): Promise<boolean> {
    try {
      const folders = await this.#names({ separator: '/' })
      if (folders.meta.filteredByAcls === true) return true
      const foreign = countForeign(this.#scope.layers, folders.value)
      if (foreign === 0 || foreign > FOREIGN_KEYS_ALLOWED) return foreign > 0
      const keys = await this.#names({})
      return countForeign(this.#scope.layers, keys.value) > FOREIGN_KEYS_ALLOWED
    } catch (error) {
      if (isProconsulError(error, 'PROCONSUL_RESPONSE_TOO_LARGE')) return true
      throw error
    }
  }

  async #names(options: KvKeysOptions): Promise<Answer<readonly string[]>> {
    const { signal } = this.#link
    const limits = { maxBytes: NAMES_MAX_BYTES }
    return await this.#parts.kv.keys(this.#coverage.cover, { ...this.#scope.access, ...options, signal }, limits)
  }

  #covering(): StateSource {
    const onUnfit = (told: LayerState | undefined): void => this.#changeOver(told)
    return new CoverSource(this.#parts, this.#scope, this.#coverage.cover, this.#observer, onUnfit).start()
  }

  #splitting(known?: LayerState): StateSource {
    return new SplitSource(this.#parts, this.#scope, this.#coverage.prefixes, this.#observer, known).start()
  }

  #changeOver(known: LayerState | undefined): void {
    // The observer may have closed this when it heard of the state.
    if (this.#link.signal.aborted) return
    this.#source?.close()
    this.#source = this.#splitting(known)
  }
}
