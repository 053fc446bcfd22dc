import { parseDuration, type Duration } from '../core/duration.js'
import { checkInteger, checkObject } from '../core/option-check.js'
import { invalidOption } from '../errors/invalid-option.js'

/** What protects a value against a sudden loss of most of it, which may be a registry's and not a true one. */
export interface LossGuardOptions {
  /**
   * The share, above 0 and up to 1, whose loss at once is doubted. Lower it where many never leave together; 1 doubts only the loss of
   * everything.
   */
  readonly share?: number | undefined
  /**
   * What has fewer parts than this is guarded only when the registry may have lost its state. Raise it where few come and go all day.
   */
  readonly atLeast?: number | undefined
  /** How long what is lost is kept while it is in doubt. Raise it where services take longer to come back to an empty registry. */
  readonly hold?: Duration | undefined
}

/** {@link LossGuardOptions} with every value decided. */
export interface ResolvedLossGuard {
  readonly share: number
  readonly atLeast: number
  readonly holdMs: number
}

const MOST = 1_000_000

/**
 * Checks and completes. `false` switches the guard off.
 * @throws ProconsulError `PROCONSUL_INVALID_OPTION`
 */
export function resolveLossGuard(
  options: LossGuardOptions | false | undefined,
  defaults: ResolvedLossGuard,
): ResolvedLossGuard | undefined {
  if (options === false) return undefined
  const { share, atLeast, hold } = checkObject('lossGuard', options ?? {}, ['share', 'atLeast', 'hold'])
  return Object.freeze({
    share: checkShare(share ?? defaults.share),
    atLeast: checkInteger('lossGuard.atLeast', atLeast ?? defaults.atLeast, 1, MOST),
    holdMs: parseDuration('lossGuard.hold', hold ?? defaults.holdMs),
  })
}

function checkShare(share: unknown): number {
  if (typeof share !== 'number' || !(share > 0 && share <= 1)) {
    throw invalidOption('lossGuard.share', share, 'a number above 0 and up to 1')
  }
  return share
}
