import { isProconsulError } from '../errors/proconsul-error.js'
import { EXIT, UsageError, type CliIo, type Command } from './command.js'
import { configCommand } from './config-command.js'
import { devCommand } from './dev-command.js'

/** Every command by its name. A further one is a file and a line here. */
const COMMANDS: Readonly<Record<string, Command>> = { config: configCommand, dev: devCommand }

/** Runs `proconsul` with these arguments; resolves with the exit code and never rejects. */
export async function main(args: readonly string[], io: CliIo): Promise<number> {
  const [name, ...rest] = args
  if (name === undefined || name === '--help' || name === 'help') {
    io.out(usage())
    return name === undefined ? EXIT.usage : EXIT.ok
  }
  const command = Object.hasOwn(COMMANDS, name) ? COMMANDS[name] : undefined
  if (command === undefined) {
    io.err(`proconsul: there is no command "${name}"\n\n${usage()}`)
    return EXIT.usage
  }
  if (rest.includes('--help')) {
    io.out(command.usage)
    return EXIT.ok
  }
  try {
    return await command.run(rest, io)
  } catch (error) {
    return failure(name, error, io)
  }
}

function failure(name: string, error: unknown, io: CliIo): number {
  const message = error instanceof Error ? error.message : String(error)
  if (error instanceof UsageError) {
    io.err(`proconsul ${name}: ${message}\nproconsul ${name} --help tells more.`)
    return EXIT.usage
  }
  io.err(`proconsul ${name}: ${message}`)
  if (isProconsulError(error, 'PROCONSUL_CONFIG_INVALID') || isProconsulError(error, 'PROCONSUL_CONFLICT'))
    return EXIT.no
  return isProconsulError(error, 'PROCONSUL_INVALID_OPTION') ? EXIT.usage : EXIT.failed
}

function usage(): string {
  const lines = Object.entries(COMMANDS).map(([name, { summary }]) => `  ${name.padEnd(10)}${summary}`)
  return `usage: proconsul <command> [options]\n\n${lines.join('\n')}\n\nproconsul <command> --help tells more.`
}
