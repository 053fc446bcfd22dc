import type { LogFields, Logger } from '../../src/core/logger.js'

/** A logger that remembers. */
export interface RecordingLogger extends Logger {
  readonly entries: readonly { readonly level: keyof Logger; readonly fields: LogFields; readonly message: string }[]
  /** The messages of one level. */
  messages(level: keyof Logger): readonly string[]
}

export function recordingLogger(): RecordingLogger {
  const entries: { level: keyof Logger; fields: LogFields; message: string }[] = []
  const at = (level: keyof Logger) => (fields: LogFields, message: string) =>
    void entries.push({ level, fields, message })
  return {
    entries,
    messages: (level) => entries.filter((entry) => entry.level === level).map((entry) => entry.message),
    debug: at('debug'),
    info: at('info'),
    warn: at('warn'),
    error: at('error'),
  }
}
