import { readFileSync } from 'node:fs'
import { isRecord } from '../core/option-check.js'
import { didYouMean } from '../core/suggestion.js'
import { thrownText } from '../core/thrown.js'
import { isProconsulError } from '../errors/proconsul-error.js'
import { EXIT, UsageError, type CliIo, type Command } from './command.js'
import { configCommand } from './config-command.js'
import { devCommand } from './dev-command.js'

/** Every command by its name. A further one is a file and a line here. */
const COMMANDS: Readonly<Record<string, Command>> = { config: configCommand, dev: devCommand }

const HELP: readonly (string | undefined)[] = ['--help', '-h', 'help']
const VERSION: readonly (string | undefined)[] = ['--version', '-v', 'version']

/** Runs `proconsul` with these arguments; resolves with the exit code and never rejects. */
export async function main(args: readonly string[], io: CliIo): Promise<number> {
  const [name, ...rest] = args
  if (HELP.includes(name)) return print(io, usage())
  if (VERSION.includes(name)) return print(io, version())
  const command = name !== undefined && Object.hasOwn(COMMANDS, name) ? COMMANDS[name] : undefined
  if (name === undefined || command === undefined) {
    const known = Object.keys(COMMANDS)
    const problem =
      name === undefined
        ? `which command? One of ${known.join(', ')}`
        : `there is no command "${name}"${didYouMean(name, known)}`
    io.err(`proconsul: ${problem}\n\`proconsul --help\` tells more.`)
    return EXIT.usage
  }
  if (isHelpAsked(rest)) return print(io, command.usage)
  try {
    return await command.run(rest, io)
  } catch (error) {
    return failure(name, error, io)
  }
}

/** What stands behind `--` is no flag. */
function isHelpAsked(args: readonly string[]): boolean {
  const flags = args.includes('--') ? args.slice(0, args.indexOf('--')) : args
  return flags.includes('--help') || flags.includes('-h')
}

function print(io: CliIo, text: string): number {
  io.out(text)
  return EXIT.ok
}

/** The message is what is read: the usage would push it off the screen. */
function failure(name: string, error: unknown, io: CliIo): number {
  const message = thrownText(error)
  if (error instanceof UsageError) {
    io.err(`proconsul ${name}: ${message}\n\`proconsul ${name} --help\` tells more.`)
    return EXIT.usage
  }
  io.err(`proconsul ${name}: ${message}`)
  if (isProconsulError(error, 'PROCONSUL_CONFIG_INVALID') || isProconsulError(error, 'PROCONSUL_CONFLICT'))
    return EXIT.no
  return isProconsulError(error, 'PROCONSUL_INVALID_OPTION') ? EXIT.usage : EXIT.failed
}

function usage(): string {
  const lines = Object.entries(COMMANDS).map(([name, { summary }]) => `  ${name.padEnd(10)}${summary}`)
  const flags = '  --version  the version of this package\n  --help     this, or with a command, what it takes'
  return `usage: proconsul <command> [options]\n\n${lines.join('\n')}\n\n${flags}`
}

/** The nearest package.json above this file is that of the package: from its sources as from its build. */
function version(): string {
  for (const up of ['../', '../../', '../../../']) {
    try {
      const found: unknown = JSON.parse(readFileSync(new URL(`${up}package.json`, import.meta.url), 'utf8'))
      if (isRecord(found) && found['name'] === 'proconsul' && typeof found['version'] === 'string')
        return found['version']
    } catch {
      // It is farther up.
    }
  }
  return 'unknown'
}
