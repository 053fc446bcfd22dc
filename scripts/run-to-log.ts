import { spawn } from 'node:child_process'
import { closeSync, mkdirSync, openSync } from 'node:fs'
import { readFile } from 'node:fs/promises'
import { dirname } from 'node:path'

/** How a command ended, and the file that holds all it wrote. */
export interface LoggedRun {
  readonly ok: boolean
  /** Such as `exit code 3`, or `no end within 30000 ms`. */
  readonly ending: string
  readonly output: () => Promise<string>
}

/** What surrounds the command. */
export interface LoggedRunOptions {
  readonly env?: NodeJS.ProcessEnv
  readonly cwd?: string
  /** Milliseconds until it is killed, with a note. Default 300,000. */
  readonly within?: number
}

/** Runs a command with its output going to a log file, to be shown by the caller if it fails. */
export async function runToLog(
  logFile: string,
  [file = '', ...args]: readonly string[],
  { env = process.env, cwd, within = 300_000 }: LoggedRunOptions = {},
): Promise<LoggedRun> {
  mkdirSync(dirname(logFile), { recursive: true })
  const log = openSync(logFile, 'w')
  try {
    const child = spawn(file, args, { env, cwd, stdio: ['ignore', log, log] })
    const deadline = new AbortController()
    const timer = setTimeout(() => {
      deadline.abort()
      child.kill('SIGKILL')
    }, within)
    const [code, signal] = await new Promise<[number | null, string | null]>((resolve, reject) => {
      child.once('error', reject).once('close', (...ended) => resolve(ended))
    }).finally(() => clearTimeout(timer))
    const ending = deadline.signal.aborted
      ? `no end within ${within} ms`
      : code === null
        ? `killed by ${String(signal)}`
        : `exit code ${code}`
    return { ok: code === 0, ending, output: () => readFile(logFile, 'utf8') }
  } finally {
    closeSync(log)
  }
}
