import { KV_DECODERS, type KvEntry } from '../../api/kv-entry.js'
import { DocumentProblem, type ParseDocument } from '../formats/document.js'
import { isFolderMark } from '../formats/keys.js'
import { ConfigRejection, type ConfigIssue } from '../issue.js'
import type { ConfigLayer } from '../layer.js'
import { coerceText } from '../tree/coerce.js'
import { formatPath } from '../tree/path.js'
import { TreeProblem, type Tree } from '../tree/tree.js'

/** How the keys of a layer are read: each as a value, or each as a document. */
export type LayerFormat =
  { readonly type: 'keys'; readonly coerce: boolean } | { readonly type: 'documents'; readonly parse: ParseDocument }

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

/** Reads the keys of all layers, each key only once as long as it does not change. */
export class DocumentReader {
  readonly #layers: readonly ConfigLayer[]
  readonly #format: LayerFormat
  #read: ReadonlyMap<KvEntry, ConfigDocument> = new Map()

  constructor(layers: readonly ConfigLayer[], format: LayerFormat) {
    this.#layers = layers
    this.#format = format
  }

  /** The layers in their order. @throws ConfigRejection naming every key that cannot be read */
  read(entries: readonly KvEntry[]): readonly LayerDocuments[] {
    const issues: ConfigIssue[] = []
    const read = new Map<KvEntry, ConfigDocument>()
    const layers = this.#layers.map((layer) => ({ layer, documents: this.#layer(layer, entries, read, issues) }))
    this.#read = read
    if (issues.length > 0) throw new ConfigRejection(issues)
    return layers
  }

  #layer(
    layer: ConfigLayer,
    entries: readonly KvEntry[],
    read: Map<KvEntry, ConfigDocument>,
    issues: ConfigIssue[],
  ): ConfigDocument[] {
    const documents: ConfigDocument[] = []
    for (const entry of entries) {
      const name = nameWithin(layer, entry.key)
      // A layer of keys is a folder: a key that has the folder's own name is none of its values.
      if (name === undefined || isMark(this.#format, entry.key, name)) continue
      try {
        const document = this.#document(entry, name)
        read.set(entry, document)
        documents.push(document)
      } catch (error) {
        issues.push(documentIssue(layer, entry, error))
      }
    }
    return documents
  }

  #document(entry: KvEntry, name: string): ConfigDocument {
    const known = this.#read.get(entry)
    if (known?.name === name) return known
    const text = KV_DECODERS.utf8(entry.value)
    const tree = this.#format.type === 'keys' ? leaf(text, this.#format.coerce) : this.#format.parse(text, entry.key)
    return { key: entry.key, name, modifyIndex: entry.modifyIndex, tree }
  }
}

/** The key's name within a layer; undefined when it belongs to another. */
export function nameWithin({ path, folder }: ConfigLayer, key: string): string | undefined {
  if (key.startsWith(folder)) return key.slice(folder.length)
  return key === path ? '' : undefined
}

/** Whether a key belongs to a layer. */
export function isWithin({ path, folder }: ConfigLayer, key: string): boolean {
  return key.startsWith(folder) || key === path
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
  const known = error instanceof DocumentProblem || error instanceof TreeProblem
  return {
    // What a format function throws may quote the document.
    message: known ? error.message : 'cannot be read: its format function failed',
    ...(error instanceof TreeProblem && error.segments.length > 0 && { path: formatPath(error.segments) }),
    layer: layer.path,
    key: entry.key,
    modifyIndex: entry.modifyIndex,
    ...(error instanceof DocumentProblem && error.position),
  }
}
