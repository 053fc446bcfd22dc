import type { ConfigLayer } from './layer.js'

/** Whether a key belongs to a layer. */
export function isWithin({ path, folder }: ConfigLayer, key: string): boolean {
  return key.startsWith(folder) || key === path
}

/** The key's name within a layer it belongs to; empty when it is the layer itself. */
export function nameWithin({ folder }: ConfigLayer, key: string): string {
  return key.slice(folder.length)
}

/** Finds the layers of one key after the other. Keys come sorted, so that most belong where the one before did. */
export class LayerFinder {
  readonly #layers: readonly ConfigLayer[]
  readonly #isNested: boolean
  #last: readonly ConfigLayer[] = []

  constructor(layers: readonly ConfigLayer[]) {
    this.#layers = layers
    this.#isNested = layers.some((layer) => layers.some((other) => other !== layer && isWithin(other, layer.path)))
  }

  /** The layers that a key belongs to: none, one, or several where one layer lies within another. */
  layersOf(key: string): readonly ConfigLayer[] {
    const [before] = this.#last
    const isWhereTheLastWas = !this.#isNested && before !== undefined && isWithin(before, key)
    if (!isWhereTheLastWas) this.#last = this.#layers.filter((layer) => isWithin(layer, key))
    return this.#last
  }
}
