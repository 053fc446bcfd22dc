/**
 * Runs every example, or those whose path contains a given word, against a real Consul: `npm run examples -- service`.
 *
 * An example ends by itself with exit code 0. One whose header says that it is ended with SIGTERM gets that signal once it has
 * registered a service, and has to end by it. Either way it leaves no service behind, and writes what its header says it does.
 */
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { startConsul, type ConsulAgent } from '../test/support/consul-agent.js'
import { freshBuild } from './fresh-build.js'
import { PROJECT, runTask } from './project.js'
import { runProgram } from './run-program.js'

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

async function run(name: string, consul: ConsulAgent): Promise<string | undefined> {
  const file = join(PROJECT, 'examples', name)
  const header = /^(?:\/\/.*\n)+/.exec(readFileSync(file, 'utf8'))?.[0] ?? ''
  const expected = expectedOutput(header)
  const program = { arguments: [file], untilSignal: header.includes('SIGTERM'), ...(expected && { expected }) }
  return await runProgram(program, consul)
}

/** The header says `Expected: one / two … / three`, or `no output.`, or nothing of it. */
function expectedOutput(header: string): readonly string[] | undefined {
  const [, text] = /^\/\/ Expected: (.*)$/m.exec(header) ?? []
  return text === 'no output.' ? [] : text?.split(' / ')
}
