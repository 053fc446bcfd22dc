import type { Covered } from './cover-reader.js'
import { CoverSource } from './cover-source.js'
import type { LayerScope, SourceParts } from './layer-reader.js'
import type { LayerState, StateObserver, StateSource } from './layer-state.js'
import { SplitSource } from './split-source.js'

/**
 * Waits for the folder that the layers share, as long as it holds little else. Should it be crowded by others, now or later, or change
 * so often that most reads are for nothing, or should the token not be allowed to read all of it, it changes over to the layers alone.
 */
export class RootedSource implements StateSource {
  readonly #parts: SourceParts
  readonly #scope: LayerScope
  readonly #coverage: Covered
  readonly #observer: StateObserver
  #source: StateSource | undefined
  #isClosed = false

  constructor(parts: SourceParts, scope: LayerScope, coverage: Covered, observer: StateObserver) {
    this.#parts = parts
    this.#scope = scope
    this.#coverage = coverage
    this.#observer = observer
  }

  start(): this {
    const onUnfit = (told: LayerState | undefined): void => this.#changeOver(told)
    this.#source = new CoverSource(this.#parts, this.#scope, this.#coverage, this.#observer, onUnfit).start()
    return this
  }

  close(): void {
    this.#isClosed = true
    this.#source?.close()
  }

  #changeOver(known: LayerState | undefined): void {
    // The observer may have closed this when it heard of the state.
    if (this.#isClosed) return
    this.#source?.close()
    this.#source = new SplitSource(this.#parts, this.#scope, this.#coverage.prefixes, this.#observer, known).start()
  }
}
