import { parseArgs } from 'node:util'
import { startEmbeddedConsul } from '../testing/start-embedded-consul.js'
import type { EmbeddedConsulOptions } from '../testing/options.js'
import { EXIT, UsageError, type CliIo, type Command } from './command.js'
import { flagError } from './flag-error.js'
import { plantSeed, readSeed, type Seed } from './dev-seed.js'

/** Where Consul listens, and every client looks. */
const DEFAULT_PORT = 8500

const USAGE = `usage: proconsul dev [--port 8500] [--host 127.0.0.1] [--consul 1.22] [--node NAME] [--seed FILE] [--quiet]

An in-memory Consul agent for development: nothing is installed, and nothing is kept. It runs until it is interrupted.

  --port     port to listen on; 0 takes any free one
  --host     address to listen on
  --consul   whose behaviour it has: 1.8 or 1.22
  --node     name of its node
  --seed     a JSON file: { "services": [{ "Name": "users", "Port": 80 }], "kv": { "config/users/level": "info" } }
  --quiet    without a line for each request
exit code: 0 it was interrupted; 2 used wrongly; 3 it could not be started`

const FLAGS = {
  port: { type: 'string' },
  host: { type: 'string' },
  consul: { type: 'string' },
  node: { type: 'string' },
  seed: { type: 'string' },
  quiet: { type: 'boolean' },
} as const

const NO_SEED: Seed = { services: [], kv: {} }

/** `proconsul dev`: the embedded agent of `proconsul/testing`, at a terminal. */
export const devCommand: Command = {
  summary: 'run an in-memory Consul agent for development',
  usage: USAGE,
  async run(args, io) {
    const flags = parseFlags(args)
    const seed = flags.seed === undefined ? NO_SEED : await readSeed(flags.seed)
    await using agent = await startEmbeddedConsul(optionsOf(flags, io))
    await plantSeed(agent.url, seed)
    io.out(`Consul ${agent.version}, embedded, listens on ${agent.url}`)
    const planted = `${seed.services.length} services and ${Object.keys(seed.kv).length} keys`
    if (flags.seed !== undefined) io.out(`${planted} from ${flags.seed}`)
    await interrupted()
    return EXIT.ok
  },
}

function parseFlags(args: readonly string[]) {
  try {
    return parseArgs({ args: [...args], options: FLAGS, strict: true }).values
  } catch (error) {
    throw flagError(error, Object.keys(FLAGS))
  }
}

function optionsOf(
  { port, host, consul, node, quiet }: ReturnType<typeof parseFlags>,
  io: CliIo,
): EmbeddedConsulOptions {
  if (consul !== undefined && consul !== '1.8' && consul !== '1.22') {
    throw new UsageError(`--consul is ${JSON.stringify(consul)}; expected 1.8 or 1.22`)
  }
  return {
    port: port === undefined ? DEFAULT_PORT : Number(port),
    ...(host !== undefined && { host }),
    ...(consul !== undefined && { version: consul }),
    ...(node !== undefined && { node }),
    ...(quiet !== true && {
      onRequest: ({ method, path, status, durationMs }) =>
        io.out(`${method.padEnd(6)} ${path} ${status ?? 'no answer'} ${durationMs.toFixed(1)} ms`),
    }),
  }
}

/** Resolves at SIGINT or SIGTERM. */
function interrupted(): Promise<void> {
  return new Promise((resolve) => {
    const stop = (): void => {
      for (const signal of ['SIGINT', 'SIGTERM'] as const) process.off(signal, stop)
      resolve()
    }
    for (const signal of ['SIGINT', 'SIGTERM'] as const) process.on(signal, stop)
  })
}
