import { execFile } from 'node:child_process'

/** How to run a command. */
export interface CommandOptions {
  readonly cwd?: string
  /** Milliseconds until the command is killed. Default 60,000. */
  readonly within?: number
}

/** Runs a program to its end and gives its standard output. Rejects, with the output, when it fails. */
export function runCommand(
  file: string,
  args: readonly string[],
  { cwd, within = 60_000 }: CommandOptions = {},
): Promise<string> {
  return new Promise((resolve, reject) => {
    const options = { cwd, timeout: within, maxBuffer: 64 * 1024 * 1024, killSignal: 'SIGKILL' as const }
    execFile(file, args, options, (error, stdout, stderr) => {
      if (!error) resolve(stdout)
      else reject(new Error(`${file} ${args.join(' ')}: ${error.message}\n${stdout}${stderr}`.trim(), { cause: error }))
    }).stdin?.end()
  })
}
