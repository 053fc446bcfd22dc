/**
 * Runs every example, or those whose path contains a given word, against a real Consul: `npm run examples -- service`.
 *
 * An example ends by itself with exit code 0. One whose header says that it is ended with SIGTERM gets that signal once it has said
 * that it is registered, and has to end by it. Either way it leaves no service behind.
 */
import { spawn } from 'node:child_process'
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { startConsul, type ConsulAgent } from '../test/support/consul-agent.js'
import { eventually } from '../test/support/eventually.js'
import { freshBuild } from './fresh-build.js'
import { PROJECT, runTask } from './project.js'

const WITHIN_MS = 30_000

await runTask(async () => {
  const words = process.argv.slice(2)
  const examples = readdirSync(join(PROJECT, 'examples'), { recursive: true, encoding: 'utf8' })
    .filter((name) => /\.[mc]js$/.test(name) && !name.includes('node_modules'))
    .filter((name) => words.length === 0 || words.some((word) => name.includes(word)))
    .sort()
  if (examples.length === 0) throw new Error('there is no such example')
  await freshBuild()
  await using consul = await startConsul()
  console.log(`examples, on Consul ${consul.version}`)
  let failed = 0
  for (const name of examples) {
    const began = performance.now()
    const failure = await run(name, consul)
    console.log(
      `  ${failure === undefined ? 'ok    ' : 'FAILED'} ${name} (${((performance.now() - began) / 1000).toFixed(1)} s)`,
    )
    if (failure === undefined) continue
    failed += 1
    console.error(failure)
  }
  console.log(`${examples.length - failed} examples ran, ${failed} failed`)
  return failed > 0 ? 1 : 0
})

/** Gives what went wrong, with all that the example wrote. */
async function run(name: string, consul: ConsulAgent): Promise<string | undefined> {
  const file = join(PROJECT, 'examples', name)
  const header = /^(?:\/\/.*\n)+/.exec(readFileSync(file, 'utf8'))?.[0] ?? ''
  const endedBySignal = header.includes('SIGTERM')
  const env = { ...process.env, CONSUL_HTTP_ADDR: consul.address, DRAIN: '100ms' }
  const child = spawn(process.execPath, [file], { cwd: PROJECT, env, stdio: ['ignore', 'pipe', 'pipe'] })
  let output = ''
  let signalled = false
  const listen = (chunk: Buffer): void => {
    output += chunk.toString()
    if (!endedBySignal || signalled || !output.includes('registered')) return
    signalled = true
    child.kill('SIGTERM')
  }
  child.stdout.on('data', listen)
  child.stderr.on('data', listen)
  const deadline = setTimeout(() => child.kill('SIGKILL'), WITHIN_MS)
  const ending = await new Promise<string>((resolve, reject) => {
    child.once('error', reject).once('close', (code, signal) => resolve(signal ?? `exit code ${String(code)}`))
  })
  clearTimeout(deadline)
  const expected = endedBySignal ? 'SIGTERM' : 'exit code 0'
  if (ending !== expected) return `ended by ${ending} rather than ${expected}, having written:\n${output}`
  return eventually(async () => {
    const left = Object.keys(await consul.read<Record<string, unknown>>('/v1/agent/services'))
    if (left.length > 0) throw new Error(`it left behind in Consul: ${left.join(', ')}; it wrote:\n${output}`)
    return undefined
  }).catch((error: unknown) => String(error))
}
