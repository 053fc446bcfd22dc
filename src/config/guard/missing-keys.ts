import { checkKey } from '../../api/kv-key.js'
import type { KvApi } from '../../api/kv.js'
import { isProconsulError } from '../../errors/proconsul-error.js'
import type { ConfigLayer } from '../layers/layer.js'
import { coverageOf } from '../source/coverage.js'
import type { LayerScope } from '../source/source-parts.js'

/** When more keys than this are missing at once, the first ones speak for the rest. */
const KEYS_ASKED = 32

/** The questions are asked while a change waits: an agent that does not answer soon has proven nothing. */
const ASKED_FOR_MS = 5_000

/** What became of keys that are not there any more. */
export type Fate =
  /** They were deleted, for all that can be known. */
  | 'deleted'
  /** Nothing shows that they were: an agent that lost its state makes keys vanish as well. */
  | 'lost'
  /** The token may not read them, so nobody can know. */
  | 'denied'

/** Keys that are missing since a look at the layers. */
export interface Missing {
  readonly keys: readonly string[]
  /** Raft index of that look. */
  readonly since: number
  /** Whether an earlier run of the process had that look: meanwhile the agent may have forgotten when keys were deleted. */
  readonly isEarlierRun: boolean
}

/** Finds out what became of keys. */
export class MissingKeys {
  readonly #kv: KvApi
  readonly #scope: LayerScope

  constructor(kv: KvApi, scope: LayerScope) {
    this.#kv = kv
    this.#scope = scope
  }

  /**
   * A deletion moves the index of its own layer, which no change by others does, and leaves a key that may be read: asked for by name,
   * one that the token may not read is refused, where a list only leaves it out. After a quarter of an hour the layer's index falls back;
   * then the index of the store shows at least that it is the same store.
   */
  async fateOf({ keys, since, isEarlierRun }: Missing, signal: AbortSignal): Promise<Fate> {
    const options = this.#options(signal)
    const { layers, format } = this.#scope
    const asked = [...new Set(keys.slice(0, KEYS_ASKED).map(askableKey))]
    const concerned = coverageOf(layers, format).prefixes.filter((prefix) => keys.some((key) => key.startsWith(prefix)))
    const hasMoved = async (prefix: string): Promise<Fate> => {
      if (isEarlierRun) return 'deleted'
      const { meta } = await this.#kv.keys(prefix, { ...options, separator: '/' })
      return (meta.index ?? 0) > since ? 'deleted' : 'lost'
    }
    const isGone = async (key: string): Promise<Fate> => {
      const { meta } = await this.#kv.get(key, options)
      return !isEarlierRun || (meta.index ?? 0) >= since ? 'deleted' : 'lost'
    }
    const fates = await Promise.all([
      ...concerned.map((prefix) => fate(hasMoved(prefix))),
      ...asked.map((key) => fate(isGone(key))),
    ])
    return fates.find((each) => each === 'denied') ?? fates.find((each) => each === 'lost') ?? 'deleted'
  }

  /** Whether the token may read none of the layers: asked by name, where a list is merely empty. */
  async isNoneReadable(signal: AbortSignal): Promise<boolean> {
    const options = this.#options(signal)
    const ask = async (key: string): Promise<Fate> => fate(this.#kv.get(key, options).then(() => 'deleted' as const))
    const fates = await Promise.all(this.#scope.layers.flatMap((layer) => this.#names(layer).map(ask)))
    return fates.every((each) => each === 'denied')
  }

  #names({ path, folder }: ConfigLayer): readonly string[] {
    return this.#scope.format === 'keys' ? [folder] : [path, folder]
  }

  #options(signal: AbortSignal) {
    return { ...this.#scope.access, signal, timeout: ASKED_FOR_MS, repeat: false }
  }
}

/** What cannot be proven was no deletion. */
async function fate(answer: Promise<Fate>): Promise<Fate> {
  try {
    return await answer
  } catch (error) {
    return isProconsulError(error, 'PROCONSUL_PERMISSION_DENIED') ? 'denied' : 'lost'
  }
}

/**
 * The name by which to ask for a key. Others may have stored one that no agent takes in a plain read (with a tab, say, or with `//`);
 * for such a key speaks the longest beginning of its name that one takes, to which the same rules for prefixes apply.
 */
function askableKey(key: string): string {
  for (let length = key.length; length > 0; length -= 1) {
    const name = key.slice(0, length)
    if (isAskable(name)) return name
  }
  return key
}

function isAskable(name: string): boolean {
  try {
    checkKey('key', name)
    return true
  } catch {
    return false
  }
}
