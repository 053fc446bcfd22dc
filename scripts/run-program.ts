import { spawn } from 'node:child_process'
import type { ConsulAgent } from '../test/support/consul-agent.js'
import { eventually } from '../test/support/eventually.js'
import { PROJECT } from './project.js'

const WITHIN_MS = 30_000

/** A program that shows the use of the package. */
export interface Program {
  /** What `node` is to run. */
  readonly arguments: readonly string[]
  /** Whether it runs until SIGTERM, which it gets as soon as it has registered a service. */
  readonly untilSignal: boolean
  /** What it has to write, in this order; `…` stands for anything. An empty list: nothing. Default: whatever it likes. */
  readonly expected?: readonly string[]
}

/**
 * Runs a program to its end against this agent, in which it may leave no service behind. Gives what went wrong, with all that the
 * program wrote.
 */
export async function runProgram(program: Program, consul: ConsulAgent): Promise<string | undefined> {
  const env = { ...process.env, CONSUL_HTTP_ADDR: consul.address, DRAIN: '100ms' }
  const child = spawn(process.execPath, program.arguments, { cwd: PROJECT, env, stdio: ['ignore', 'pipe', 'pipe'] })
  let output = ''
  child.stdout.on('data', (chunk: Buffer) => (output += chunk.toString()))
  child.stderr.on('data', (chunk: Buffer) => (output += chunk.toString()))
  const ended = new Promise<string>((resolve, reject) => {
    child.once('error', reject).once('close', (code, signal) => resolve(signal ?? `exit code ${String(code)}`))
  })
  const deadline = setTimeout(() => child.kill('SIGKILL'), WITHIN_MS)
  if (program.untilSignal) {
    const registered = eventually(async () => {
      if ((await services(consul)).length === 0) throw new Error('nothing is registered')
    })
    await Promise.race([registered, ended]).catch(() => undefined)
    child.kill('SIGTERM')
  }
  const ending = await ended
  clearTimeout(deadline)
  const expected = program.untilSignal ? 'SIGTERM' : 'exit code 0'
  if (ending !== expected) return `ended by ${ending} rather than ${expected}, having written:\n${output}`
  const left = await services(consul)
  if (left.length > 0) return `left behind in Consul: ${left.join(', ')}, having written:\n${output}`
  const missing = missingIn(output, program.expected)
  return missing === undefined ? undefined : `expected ${missing}, but it has written:\n${output}`
}

/** The first that the output does not have, after those before it. */
function missingIn(output: string, expected: readonly string[] | undefined): string | undefined {
  if (expected?.length === 0) return output === '' ? undefined : 'no output'
  let rest = output
  for (const text of expected ?? []) {
    const pattern = text
      .split('…')
      .map((part) => part.replace(/[.*+?^${}()|[\]\\]/g, '\\$&'))
      .join('.*')
    const match = new RegExp(pattern).exec(rest)
    if (match === null) return JSON.stringify(text)
    rest = rest.slice(match.index + match[0].length)
  }
  return undefined
}

async function services(consul: ConsulAgent): Promise<readonly string[]> {
  return Object.keys(await consul.read<Record<string, unknown>>('/v1/agent/services'))
}
