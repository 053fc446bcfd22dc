import type { ResolvedConfigOptions } from '../config-options.js'
import type { LayerFormat } from '../assembly/documents.js'
import { coerceText } from '../tree/coerce.js'
import { toTree } from '../tree/tree.js'
import { parseJson } from './json.js'
import { parseProperties } from './properties.js'
import { loadYaml } from './yaml.js'

/** How the layers of a configuration are read. @throws ProconsulError `PROCONSUL_MISSING_PEER` */
export async function layerFormat({
  format,
  coerce,
}: Pick<ResolvedConfigOptions, 'format' | 'coerce'>): Promise<LayerFormat> {
  if (typeof format === 'function') {
    return { type: 'documents', parse: (text, key) => toTree(format(text, key)) }
  }
  switch (format) {
    case 'keys':
      return { type: 'keys', coerce }
    case 'json':
      return { type: 'documents', parse: parseJson }
    case 'properties':
      return { type: 'documents', parse: (text) => parseProperties(text, coerce ? coerceText : (value) => value) }
    case 'yaml':
      return { type: 'documents', parse: await loadYaml() }
  }
}
