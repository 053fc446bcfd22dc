/** What the commands of `proconsul` have in common. */

/** The world as a command sees it. */
export interface CliIo {
  /** Results. */
  out(text: string): void
  /** Messages for people. */
  err(text: string): void
  /** All of standard input: bytes, or text where somebody has decoded it. */
  readInput(): Promise<string | Uint8Array>
}

/** One command. */
export interface Command {
  readonly summary: string
  readonly usage: string
  /** Resolves with the exit code. */
  run(args: readonly string[], io: CliIo): Promise<number>
}

/** Exit codes: done; the answer is no (it differs, it is not valid); used wrongly; Consul could not be asked, or refused. */
export const EXIT = Object.freeze({ ok: 0, no: 1, usage: 2, failed: 3 })

/** The command line is not right. */
export class UsageError extends Error {
  override readonly name = 'UsageError'
}
