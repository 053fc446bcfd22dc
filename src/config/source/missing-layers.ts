import type { KvApi } from '../../api/kv.js'
import { didYouMean } from '../../core/suggestion.js'
import type { ConfigLayer } from '../layers/layer.js'
import type { ConfigAccess } from '../options/config-options.js'

/** Somebody waits for the explanation: what is not known by then is left out. */
const ASKED_FOR_MS = 1_000

const NAMES_SHOWN = 10

/** What is there instead of layers that hold nothing, as the end of a sentence: most often it is a slip of the pen. */
export async function explainMissingLayers(
  kv: KvApi,
  access: ConfigAccess,
  layers: readonly ConfigLayer[],
  signal: AbortSignal,
): Promise<string> {
  const neighbours = async (folder: string): Promise<readonly string[]> => {
    const options = { ...access, separator: '/', signal, timeout: ASKED_FOR_MS, repeat: false }
    const { value } = await kv.keys(folder, options).catch(() => ({ value: [] }))
    return value
  }
  const folders = [...new Set(layers.map(folderAbove))]
  const names = new Map(await Promise.all(folders.map(async (folder) => [folder, await neighbours(folder)] as const)))
  const hints = layers.map((layer) => hintFor(layer, names.get(folderAbove(layer)) ?? []))
  return hints.join('')
}

function folderAbove({ path }: ConfigLayer): string {
  return path.slice(0, path.lastIndexOf('/') + 1)
}

function hintFor({ path, folder }: ConfigLayer, names: readonly string[]): string {
  if (names.includes(path)) return `; ${JSON.stringify(path)} is a key and no folder: a document needs its "format"`
  const others = names.filter((name) => name !== folder).map((name) => name.replace(/\/$/, ''))
  if (others.length === 0) return ''
  const shown = others.slice(0, NAMES_SHOWN).map((name) => JSON.stringify(name))
  const more = others.length > NAMES_SHOWN ? ` and ${others.length - NAMES_SHOWN} more` : ''
  return `; beside it there is ${shown.join(', ')}${more}${didYouMean(path, others)}`
}
