import type { KvEntry } from '../api/kv-entry.js'
import type { KvApi } from '../api/kv.js'
import { knownOptions, REQUEST_OPTIONS, type RequestOptions } from '../api/options.js'
import { backoffMs } from '../core/backoff.js'
import { formatDuration, parseDuration, type Duration } from '../core/duration.js'
import { persist, type PersistOptions } from '../core/persist.js'
import type { Runtime } from '../core/runtime.js'
import { sleep } from '../core/sleep.js'
import { isProconsulError, ProconsulError } from '../errors/proconsul-error.js'

/** Computes the new value from the present one (undefined when there is no such key). Returning undefined leaves all as it is. */
export type KvChangeFunction = (
  value: string | undefined,
) => string | Uint8Array | undefined | Promise<string | Uint8Array | undefined>

/** Options of an update. */
export interface KvUpdateOptions extends RequestOptions {
  /** How long to go on while others keep changing the key, or Consul cannot be reached or has no leader. Default 10 s. */
  readonly patience?: Duration | undefined
}

const DEFAULT_PATIENCE_MS = 10_000

/** Short, since the other writer is done already; random, so that many do not meet again. */
const AFTER_CONFLICT = Object.freeze({ firstMs: 5, maxMs: 200 })

/** An election takes seconds: often enough to be there when it is over. */
const AFTER_FAILURE = Object.freeze({ firstMs: 50, maxMs: 500 })

const UPDATE_OPTIONS = [...REQUEST_OPTIONS, 'patience'] as const

type Change = string | Uint8Array

/** Reads, changes, and writes if nobody else has written meanwhile; else begins anew. Resolves with whether a value was written. */
export async function updateKey(
  runtime: Runtime,
  kv: KvApi,
  key: string,
  change: KvChangeFunction,
  given: KvUpdateOptions,
): Promise<boolean> {
  const { patience = DEFAULT_PATIENCE_MS, ...options } = knownOptions('kv.update', given, UPDATE_OPTIONS)
  const patienceMs = parseDuration('patience', patience)
  const { clock, random } = runtime
  const giveUpAt = clock.monotonic() + patienceMs
  const persistence: PersistOptions = {
    runtime,
    delays: AFTER_FAILURE,
    signal: options.signal,
    longestRetryAfterMs: Math.min(patienceMs, 10_000),
    mayRetry: ({ retryable }) => retryable && clock.monotonic() < giveUpAt,
  }
  const target: Target = { kv, key, options, persistence }
  for (let attempt = 0; ; attempt += 1) {
    const entry = await readEntry(target)
    const next = await changed(change, entry?.value)
    if (next === undefined) return false
    if (await replace(target, entry, next)) return true
    const delayMs = backoffMs(attempt, AFTER_CONFLICT, random)
    if (clock.monotonic() + delayMs >= giveUpAt) {
      const message = `kv.update: others changed ${JSON.stringify(key)} in each of ${attempt + 1} tries within ${formatDuration(patienceMs)}`
      throw new ProconsulError('PROCONSUL_CONFLICT', message)
    }
    await sleep(delayMs, { clock, signal: options.signal })
  }
}

interface Target {
  readonly kv: KvApi
  readonly key: string
  readonly options: RequestOptions
  readonly persistence: PersistOptions
}

async function readEntry({ kv, key, options, persistence }: Target): Promise<KvEntry | undefined> {
  // Repetitions beneath the loop would multiply the requests to an agent in distress.
  const { value } = await persist(persistence, () => kv.get(key, { ...options, repeat: false, consistent: true }))
  return value
}

/**
 * Writes the value in place of the entry. False when the entry is another by now.
 *
 * A write without an answer may have been carried out, or may be yet, when the server that has it goes on. While the entry is the same,
 * it was not, and writing the same again is safe: of two writes with one index only one can succeed. Once the entry is another, nobody
 * can tell whether it was this write or another's, for Consul keeps no name of the writer; a value that equals this one proves nothing,
 * since others may write the same. Doing it again would apply the change twice, calling it done might lose it: the caller has to look.
 */
async function replace(target: Target, entry: KvEntry | undefined, next: Change): Promise<boolean> {
  const { kv, key, options, persistence } = target
  const index = entry?.modifyIndex ?? 0
  const condition = { cas: index, ...(entry !== undefined && { flags: entry.flags }) }
  let doubt: ProconsulError | undefined
  const attempt = async (): Promise<'written' | 'another' | 'undecided'> => {
    if (doubt !== undefined && (await indexNow(target)) !== index) return 'undecided'
    try {
      if (await kv.set(key, next, { ...options, ...condition })) return 'written'
      return doubt === undefined ? 'another' : 'undecided'
    } catch (error) {
      if (isProconsulError(error) && error.retryable && error.reason !== 'without-effect') doubt = error
      throw error
    }
  }
  const outcome = await persist(persistence, attempt).catch((error: unknown) => {
    // What came after it, such as a read that found no agent, must not hide that the outcome is open.
    if (doubt !== undefined && isProconsulError(error) && error.retryable) return 'undecided'
    throw error
  })
  if (outcome === 'undecided') throw undecided(key, doubt)
  return outcome === 'written'
}

async function indexNow({ kv, key, options }: Target): Promise<number> {
  const { value } = await kv.get(key, { ...options, repeat: false, consistent: true })
  return value?.modifyIndex ?? 0
}

function undecided(key: string, failure: ProconsulError | undefined): ProconsulError {
  const said = failure?.message ?? 'no answer'
  const message = `kv.update: whether ${JSON.stringify(key)} was written is not known; read it and decide anew. The write failed with: ${said}`
  return new ProconsulError(failure?.code ?? 'PROCONSUL_UNAVAILABLE', message, { cause: failure })
}

async function changed(change: KvChangeFunction, value: string | undefined): Promise<Change | undefined> {
  try {
    return await change(value)
  } catch (cause) {
    throw new ProconsulError('PROCONSUL_HOOK_FAILED', 'kv.update: the function that changes the value failed', {
      cause,
    })
  }
}
