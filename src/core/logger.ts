import { debuglog, inspect } from 'node:util'

/** What a log call carries beside its message: plain values, never a token. */
export type LogFields = Readonly<Record<string, unknown>>

/** Where messages go, in the argument order of pino; `console` fits too. A logger that throws is ignored. */
export interface Logger {
  debug(fields: LogFields, message: string): void
  info(fields: LogFields, message: string): void
  warn(fields: LogFields, message: string): void
  error(fields: LogFields, message: string): void
}

/**
 * Writes to standard error when NODE_DEBUG holds `proconsul`, and nothing otherwise; but an error, which is a fault in the application's
 * own listeners or hooks, is a process warning, for nobody else would tell of it.
 */
export function defaultLogger(): Logger {
  const write = debuglog('proconsul')
  const at =
    (level: string) =>
    (fields: LogFields, message: string): void =>
      write('%s %s %o', level, message, fields)
  return { debug: at('debug'), info: at('info'), warn: at('warn'), error: warnProcess }
}

function warnProcess({ err }: LogFields, message: string): void {
  process.emitWarning(message, { type: 'ProconsulWarning', ...(err !== undefined && { detail: inspect(err) }) })
}

/** The same logger, made harmless: what the application's logger throws never reaches a loop. */
export function harmless(logger: Logger): Logger {
  const guard =
    (level: keyof Logger) =>
    (fields: LogFields, message: string): void => {
      try {
        logger[level](fields, message)
      } catch {
        // There is nowhere left to report it to.
      }
    }
  return { debug: guard('debug'), info: guard('info'), warn: guard('warn'), error: guard('error') }
}
