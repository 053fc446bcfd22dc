import type { ConfigLayer } from '../layers/layer.js'
import { LayerFinder } from '../layers/layer-finder.js'

/** The prefixes that must be read to see all layers, and the one that covers them. */
export interface Coverage {
  /** Sorted, as the agent sorts keys; none is within another. */
  readonly prefixes: readonly string[]
  /** Folder that all prefixes are in, or the only prefix itself; undefined when they have nothing in common. */
  readonly cover: string | undefined
}

/** What to read for layers of keys (folders) or of documents (keys or folders). */
export function coverageOf(layers: readonly ConfigLayer[], format: 'keys' | 'documents'): Coverage {
  const all = layers.map(({ path }) => (format === 'keys' ? `${path}/` : path))
  const prefixes = all
    .filter(
      (prefix, index) =>
        !all.some((other, at) => at !== index && prefix.startsWith(other) && (prefix !== other || at < index)),
    )
    .sort()
  const [first = ''] = prefixes
  const cover = prefixes.length === 1 ? first : commonFolder(prefixes)
  return { prefixes, cover: cover === '' ? undefined : cover }
}

/** How many of the keys and folders are neither a layer nor within one. */
export function countForeign(layers: readonly ConfigLayer[], names: readonly string[]): number {
  const finder = new LayerFinder(layers)
  return names.filter((name) => finder.layersOf(name).length === 0).length
}

function commonFolder(prefixes: readonly string[]): string {
  const [first = '', ...others] = prefixes
  let folder = first.slice(0, first.lastIndexOf('/', first.length - 2) + 1)
  while (folder !== '' && !others.every((prefix) => prefix.startsWith(folder))) {
    folder = folder.slice(0, folder.lastIndexOf('/', folder.length - 2) + 1)
  }
  return folder
}
