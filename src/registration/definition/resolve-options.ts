import { parseDuration } from '../../core/duration.js'
import { checkBoolean, checkFunction, checkObject, checkSignal } from '../../core/option-check.js'
import type { ProconsulError } from '../../errors/proconsul-error.js'
import { optional } from './resolve-check.js'
import type { DeregisterOptions, RegisterOptions } from './service-definition.js'

/** {@link RegisterOptions} with every value decided. */
export interface ResolvedRegisterOptions {
  readonly timeoutMs: number
  readonly background: boolean
  readonly signal: AbortSignal | undefined
  /** A function of this call's own: the same may be a listener as well. */
  readonly onRegisterFailed: ((error: ProconsulError) => unknown) | undefined
}

/** {@link DeregisterOptions} with every value decided. */
export interface ResolvedDeregisterOptions {
  readonly drainMs: number
  readonly timeoutMs: number
  readonly signal: AbortSignal | undefined
}

/** Every default, with its reason. */
export const REGISTRATION_DEFAULTS = Object.freeze({
  /** Longer than an election and a restart of the agent. */
  timeoutMs: 30_000,
  /** Longer than the agent's own hold of about 7 s while servers elect a leader. */
  deregisterTimeoutMs: 10_000,
})

/** @throws ProconsulError `PROCONSUL_INVALID_OPTION` */
export function resolveRegisterOptions(options: RegisterOptions): ResolvedRegisterOptions {
  checkObject('options', options, ['timeout', 'background', 'signal', 'onRegisterFailed'])
  const { timeout, background, signal, onRegisterFailed } = options
  return {
    onRegisterFailed: optional(onRegisterFailed, (listener) => {
      checkFunction('onRegisterFailed', listener)
      return (error) => listener(error)
    }),
    timeoutMs: parseDuration('timeout', timeout ?? REGISTRATION_DEFAULTS.timeoutMs, { minMs: 1 }),
    background: checkBoolean('background', background ?? false),
    signal: checkSignal('signal', signal),
  }
}

/** @throws ProconsulError `PROCONSUL_INVALID_OPTION` */
export function resolveDeregisterOptions(options: DeregisterOptions): ResolvedDeregisterOptions {
  const { drain, timeout, signal } = checkObject('options', options, ['drain', 'timeout', 'signal'])
  return {
    drainMs: optional(drain, (value) => parseDuration('drain', value)) ?? 0,
    timeoutMs: parseDuration('timeout', timeout ?? REGISTRATION_DEFAULTS.deregisterTimeoutMs, { minMs: 1 }),
    signal: checkSignal('signal', signal),
  }
}
