import type { KvApi } from '../api/kv.js'
import type { RequestOptions } from '../api/options.js'
import { backoffMs } from '../core/backoff.js'
import { formatDuration, parseDuration, type Duration } from '../core/duration.js'
import type { Runtime } from '../core/runtime.js'
import { sleep } from '../core/sleep.js'
import { ProconsulError } from '../errors/proconsul-error.js'

/** Computes the new value from the present one (undefined when there is no such key). Returning undefined leaves all as it is. */
export type KvChangeFunction = (
  value: string | undefined,
) => string | Uint8Array | undefined | Promise<string | Uint8Array | undefined>

/** Options of an update. */
export interface KvUpdateOptions extends RequestOptions {
  /** How long to go on when others keep changing the key. Default 10 s. */
  readonly patience?: Duration | undefined
}

const DEFAULT_PATIENCE_MS = 10_000

/** Short, since the other writer is done already; random, so that many do not meet again. */
const DELAYS = Object.freeze({ firstMs: 5, maxMs: 200 })

/** Reads, changes, and writes if nobody else has written meanwhile; else begins anew. Resolves with whether a value was written. */
export async function updateKey(
  { clock, random }: Runtime,
  kv: KvApi,
  key: string,
  change: KvChangeFunction,
  { patience, ...options }: KvUpdateOptions,
): Promise<boolean> {
  const patienceMs = patience === undefined ? DEFAULT_PATIENCE_MS : parseDuration('patience', patience)
  const giveUpAt = clock.monotonic() + patienceMs
  for (let attempt = 0; ; attempt += 1) {
    const { value: entry } = await kv.get(key, { ...options, consistent: true })
    const next = await changed(change, entry?.value)
    if (next === undefined) return false
    const cas = entry?.modifyIndex ?? 0
    const written = await kv.set(key, next, { ...options, cas, ...(entry !== undefined && { flags: entry.flags }) })
    if (written) return true
    const delayMs = backoffMs(attempt, DELAYS, random)
    if (clock.monotonic() + delayMs >= giveUpAt) {
      const message = `kv.update: others changed ${JSON.stringify(key)} in each of ${attempt + 1} tries within ${formatDuration(patienceMs)}`
      throw new ProconsulError('PROCONSUL_CONFLICT', message)
    }
    await sleep(delayMs, { clock, signal: options.signal })
  }
}

async function changed(change: KvChangeFunction, value: string | undefined): Promise<string | Uint8Array | undefined> {
  try {
    return await change(value)
  } catch (cause) {
    throw new ProconsulError('PROCONSUL_HOOK_FAILED', 'kv.update: the function that changes the value failed', {
      cause,
    })
  }
}
