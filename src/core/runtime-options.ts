import type { Random } from './backoff.js'
import { systemClock, type Clock } from './clock.js'
import { defaultLogger, harmless, type Logger } from './logger.js'
import { checkFunction, isRecord } from './option-check.js'
import type { Runtime } from './runtime.js'

/** What users may inject. */
export interface RuntimeOptions {
  readonly clock?: Clock | undefined
  readonly random?: Random | undefined
  readonly logger?: Logger | undefined
}

/**
 * Checks and completes: the system's time and chance, and a logger that is silent but for `NODE_DEBUG=proconsul`.
 * @throws ProconsulError `PROCONSUL_INVALID_OPTION`, naming the option
 */
export function resolveRuntime({ clock = systemClock, random = Math.random, logger }: RuntimeOptions): Runtime {
  checkMethods('clock', clock, ['now', 'monotonic', 'setTimer'])
  if (logger !== undefined) checkMethods('logger', logger, ['debug', 'info', 'warn', 'error'])
  return Object.freeze({
    clock,
    random: checkFunction('random', random),
    logger: harmless(logger ?? defaultLogger()),
  })
}

function checkMethods(option: string, value: unknown, names: readonly string[]): void {
  for (const name of names) checkFunction(`${option}.${name}`, isRecord(value) ? value[name] : undefined)
}
