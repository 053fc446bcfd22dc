import { inThisContext } from '../../core/async-context.js'
import { parseDuration, type Duration } from '../../core/duration.js'
import { checkObject, checkOneOf, checkString, isRecord } from '../../core/option-check.js'
import { invalidOption } from '../../errors/invalid-option.js'

/**
 * Looks at one dependency, in the async context of the call that it was given to.
 *
 * Nothing, `null`, `true` and `'passing'` are passing. `'warning'`, `'critical'` and `false` say otherwise, and `{ status, output }` says
 * it with words. Another text, an `Error`, and a `status` that is none of the three are failures with that text, and so is what it throws
 * and taking longer than its timeout. Any other value, such as the rows of a query, is passing.
 */
export type Probe = (context: { readonly signal: AbortSignal }) => unknown

/** A probe with its own settings. */
export interface ProbeDefinition {
  readonly run: Probe
  /** After so long its signal is aborted and it counts as failed. Default 3 s. */
  readonly timeout?: Duration | undefined
  /**
   * From the start of one run to the next. A run never begins before the last has ended, unless that has taken ten times its timeout: then
   * it is given up as lost. Default a third of the TTL, or 10 s.
   */
  readonly interval?: Duration | undefined
  /** What a failure means. Set it to `'warning'` for what the service can do without. Default `'critical'`. */
  readonly onFailure?: 'warning' | 'critical' | undefined
}

/** Probes by the name of what they look at. */
export type Probes = Readonly<Record<string, Probe | ProbeDefinition>>

/** {@link ProbeDefinition} with every value decided. */
export interface ResolvedProbe {
  readonly name: string
  /** As it was given: two probes with the same one are the same. */
  readonly run: Probe
  /** The same, in the async context of whoever gave it. */
  readonly runInContext: Probe
  readonly timeoutMs: number
  readonly intervalMs: number
  readonly onFailure: 'warning' | 'critical'
}

/** Every default, with its reason. */
export const PROBE_DEFAULTS = Object.freeze({
  /** A dependency that takes longer for a light query does not serve its callers either. */
  timeoutMs: 3_000,
  /** The interval of Consul's own checks. */
  intervalMs: 10_000,
})

/** Longest name, so that many probes fit into the output of one check. */
const LONGEST_NAME = 64

/** @throws ProconsulError `PROCONSUL_INVALID_OPTION` */
export function resolveProbes(option: string, probes: unknown, ttlMs: number | undefined): readonly ResolvedProbe[] {
  if (!isRecord(probes)) throw invalidOption(option, probes, 'an object of functions')
  const fallbackMs = ttlMs === undefined ? PROBE_DEFAULTS.intervalMs : ttlMs / 3
  return Object.entries(probes).map(([name, probe]) => resolveProbe(`${option}.${name}`, name, probe, fallbackMs))
}

/** Whether two probes are the same in all that decides when they run and what they say. */
export function isSameProbe(one: ResolvedProbe, other: ResolvedProbe): boolean {
  return (
    one.name === other.name &&
    one.run === other.run &&
    one.timeoutMs === other.timeoutMs &&
    one.intervalMs === other.intervalMs &&
    one.onFailure === other.onFailure
  )
}

function resolveProbe(option: string, name: string, probe: unknown, fallbackMs: number): ResolvedProbe {
  checkString(option, name, 'a name')
  if (name.length > LONGEST_NAME) throw invalidOption(option, name, `a name of at most ${LONGEST_NAME} characters`)
  const given: Readonly<Record<string, unknown>> = isFunction(probe)
    ? { run: probe }
    : checkObject(option, probe, ['run', 'timeout', 'interval', 'onFailure'])
  const run: unknown = given['run']
  if (!isFunction(run)) throw invalidOption(option, run, 'a function')
  return {
    name,
    run,
    runInContext: inThisContext(run),
    timeoutMs: parseDuration(`${option}.timeout`, given['timeout'] ?? PROBE_DEFAULTS.timeoutMs, { minMs: 1 }),
    intervalMs: parseDuration(`${option}.interval`, given['interval'] ?? fallbackMs, { minMs: 10 }),
    onFailure: checkOneOf(`${option}.onFailure`, given['onFailure'] ?? 'critical', ['warning', 'critical']),
  }
}

function isFunction(value: unknown): value is Probe {
  return typeof value === 'function'
}
