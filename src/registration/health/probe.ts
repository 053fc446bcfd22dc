import type { SettableStatus } from '../../api/agent-check.js'
import { parseDuration, type Duration } from '../../core/duration.js'
import { checkObject, checkOneOf, checkString, isRecord } from '../../core/option-check.js'
import { invalidOption } from '../../errors/invalid-option.js'

/**
 * Looks at one dependency. Nothing, true or any other value is passing; `'warning'`, `'critical'` or false say otherwise, and
 * `{ status, output }` says it with words. What it throws, and taking longer than its timeout, is critical.
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
  readonly run: Probe
  readonly timeoutMs: number
  readonly intervalMs: number
  readonly onFailure: 'warning' | 'critical'
}

/** What a probe found. */
export interface ProbeVerdict {
  readonly status: SettableStatus
  /** For people; empty when there is nothing to say. */
  readonly output: string
}

/** Every default, with its reason. */
export const PROBE_DEFAULTS = Object.freeze({
  /** A dependency that takes longer for a light query does not serve its callers either. */
  timeoutMs: 3_000,
  /** The interval of Consul's own checks. */
  intervalMs: 10_000,
})

const STATUSES = ['passing', 'warning', 'critical'] as const

/** Longest name, so that many probes fit into the output of one check. */
const LONGEST_NAME = 64

/** @throws ProconsulError `PROCONSUL_INVALID_OPTION` */
export function resolveProbes(option: string, probes: unknown, ttlMs: number | undefined): readonly ResolvedProbe[] {
  if (!isRecord(probes)) throw invalidOption(option, probes, 'an object of functions')
  const fallbackMs = ttlMs === undefined ? PROBE_DEFAULTS.intervalMs : ttlMs / 3
  return Object.entries(probes).map(([name, probe]) => resolveProbe(`${option}.${name}`, name, probe, fallbackMs))
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
    timeoutMs: parseDuration(`${option}.timeout`, given['timeout'] ?? PROBE_DEFAULTS.timeoutMs, { minMs: 1 }),
    intervalMs: parseDuration(`${option}.interval`, given['interval'] ?? fallbackMs, { minMs: 10 }),
    onFailure: checkOneOf(`${option}.onFailure`, given['onFailure'] ?? 'critical', ['warning', 'critical']),
  }
}

/** What a probe's value says. */
export function verdictOf(value: unknown, { onFailure }: Pick<ResolvedProbe, 'onFailure'>): ProbeVerdict {
  if (value === false) return { status: onFailure, output: '' }
  const status = STATUSES.find((word) => word === (isRecord(value) ? value['status'] : value))
  const output = isRecord(value) && typeof value['output'] === 'string' ? value['output'] : ''
  return { status: status === 'critical' ? onFailure : (status ?? 'passing'), output }
}

/** What a probe's failure says. */
export function verdictOfError(error: unknown, { onFailure }: Pick<ResolvedProbe, 'onFailure'>): ProbeVerdict {
  return { status: onFailure, output: error instanceof Error ? error.message || error.name : String(error) }
}

/** The worst of several; passing when there are none. */
export function worstOf(statuses: readonly SettableStatus[]): SettableStatus {
  if (statuses.includes('critical')) return 'critical'
  return statuses.includes('warning') ? 'warning' : 'passing'
}

function isFunction(value: unknown): value is Probe {
  return typeof value === 'function'
}
