import { coerceText } from '../tree/coerce.js'
import { toTree, type Tree } from '../tree/tree.js'
import type { ParseDocument } from './document.js'
import { parseJson } from './json.js'
import { parseProperties } from './properties.js'
import { loadYaml } from './yaml.js'

/** How the keys of a layer are read: each as a value, or each as a document. */
export type LayerFormat =
  { readonly type: 'keys'; readonly coerce: boolean } | { readonly type: 'documents'; readonly parse: ParseDocument }

/** How users say it. */
export interface FormatChoice {
  readonly format: 'keys' | 'json' | 'yaml' | 'properties' | ((text: string, key: string) => unknown)
  readonly coerce: boolean
}

/** How the layers of a configuration are read. @throws ProconsulError `PROCONSUL_MISSING_PEER` */
export async function layerFormat({ format, coerce }: FormatChoice): Promise<LayerFormat> {
  if (typeof format === 'function') {
    return { type: 'documents', parse: (text, key) => toTree(format(text, key)) }
  }
  switch (format) {
    case 'keys':
      return { type: 'keys', coerce }
    case 'json':
      return { type: 'documents', parse: parseJson }
    case 'properties':
      return { type: 'documents', parse: (text) => parseProperties(text, coerce ? coerceText : asText) }
    case 'yaml':
      return { type: 'documents', parse: await loadYaml() }
  }
}

function asText(text: string): Tree {
  return text
}
