import type { KvEntry } from '../../api/kv-entry.js'
import { DocumentProblem } from '../formats/document.js'
import { isFolderMark } from '../formats/keys.js'
import type { LayerFormat } from '../formats/layer-format.js'
import { textOfBase64 } from '../formats/text.js'
import { LayerFinder, nameWithin } from '../layers/layer-finder.js'
import type { ConfigLayer } from '../layers/layer.js'
import { coerceText } from '../tree/coerce.js'
import { formatPath } from '../tree/path.js'
import { TreeProblem, type Tree, type TreeObject } from '../tree/tree.js'
import { ConfigRejection, type ConfigIssue } from './issue.js'

/** One key of a layer, read. */
export interface ConfigDocument {
  readonly key: string
  /** The key without its layer; empty for a document that is the layer itself. */
  readonly name: string
  readonly modifyIndex: number
  readonly tree: Tree
}

/** A layer, read. */
export interface LayerDocuments {
  readonly layer: ConfigLayer
  readonly documents: readonly ConfigDocument[]
}

/** A layer as one tree. */
export interface AssembledLayer extends LayerDocuments {
  readonly tree: TreeObject
}

/** Reads the keys of all layers, each key only once as long as it does not change. */
export class DocumentReader {
  readonly #layers: readonly ConfigLayer[]
  readonly #format: LayerFormat
  #last: readonly ReadLayer[] = []

  constructor(layers: readonly ConfigLayer[], format: LayerFormat) {
    this.#layers = layers
    this.#format = format
  }

  /** The layers in their order. @throws ConfigRejection naming every key that cannot be read */
  read(entries: readonly KvEntry[]): readonly LayerDocuments[] {
    const issues: ConfigIssue[] = []
    const known = documentsByEntry(this.#last)
    const read = new Map(this.#layers.map((layer) => [layer, new ReadLayer(layer)]))
    const finder = new LayerFinder(this.#layers)
    for (const entry of entries) {
      for (const layer of finder.layersOf(entry.key)) {
        const name = nameWithin(layer, entry.key)
        // A layer of keys is a folder: a key that has the folder's own name is none of its values.
        if (isMark(this.#format, entry.key, name)) continue
        try {
          const before = known.get(entry)
          read.get(layer)?.add(entry, before?.name === name ? before : this.#document(entry, name))
        } catch (error) {
          issues.push(documentIssue(layer, entry, error))
        }
      }
    }
    this.#last = [...read.values()]
    if (issues.length > 0) throw new ConfigRejection(issues)
    return this.#last
  }

  #document(entry: KvEntry, name: string): ConfigDocument {
    const text = textOfBase64(entry.value)
    const tree = this.#format.type === 'keys' ? leaf(text, this.#format.coerce) : this.#format.parse(text, entry.key)
    return { key: entry.key, name, modifyIndex: entry.modifyIndex, tree }
  }
}

/** A layer, and the entry that each of its documents was read of. */
class ReadLayer implements LayerDocuments {
  readonly layer: ConfigLayer
  readonly documents: ConfigDocument[] = []
  readonly entries: KvEntry[] = []

  constructor(layer: ConfigLayer) {
    this.layer = layer
  }

  add(entry: KvEntry, document: ConfigDocument): void {
    this.entries.push(entry)
    this.documents.push(document)
  }
}

/** Made when it is asked for: a first read, the one that somebody waits for, has nothing to look up. */
function documentsByEntry(layers: readonly ReadLayer[]): ReadonlyMap<KvEntry, ConfigDocument | undefined> {
  return new Map(
    layers.flatMap(({ entries, documents }) => entries.map((entry, index) => [entry, documents[index]] as const)),
  )
}

function isMark(format: LayerFormat, key: string, name: string): boolean {
  return format.type === 'keys' ? isFolderMark(name) : key.endsWith('/')
}

function leaf(text: string, coerce: boolean): Tree {
  return coerce ? coerceText(text) : text
}

/** What is wrong with one key. */
export function documentIssue(
  layer: ConfigLayer,
  entry: { key: string; modifyIndex: number },
  error: unknown,
): ConfigIssue {
  const known = knownProblem(error)
  return {
    // What a format function throws may quote the document.
    message: known?.message ?? 'cannot be read: its format function failed',
    ...(known instanceof TreeProblem && known.segments.length > 0 && { path: formatPath(known.segments) }),
    layer: layer.path,
    key: entry.key,
    modifyIndex: entry.modifyIndex,
    ...(known instanceof DocumentProblem && known.position),
  }
}

/** One of ours. What a format function throws may be anything, also something that throws when it is looked at. */
function knownProblem(error: unknown): DocumentProblem | TreeProblem | undefined {
  try {
    return error instanceof DocumentProblem || error instanceof TreeProblem ? error : undefined
  } catch {
    return undefined
  }
}
