/** Runs the benchmarks, or those whose name contains a given word, each on a real Consul of its own: `npm run bench -- watch`. */
import { readdirSync } from 'node:fs'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { startConsul, type ConsulAgent } from '../test/support/consul-agent.js'
import { freshBuild } from './fresh-build.js'
import { PROJECT, runTask } from './project.js'

/** What a file of bench/ exports as default: it measures, and prints its ratios. */
export type Benchmark = (given: { readonly consul: ConsulAgent }) => Promise<void>

await runTask(async () => {
  const words = process.argv.slice(2)
  const files = readdirSync(join(PROJECT, 'bench'))
    .filter((name) => name.endsWith('.bench.ts'))
    .filter((name) => words.length === 0 || words.some((word) => name.includes(word)))
    .sort()
  if (files.length === 0) throw new Error('there is no such benchmark')
  await freshBuild()
  for (const file of files) {
    await using consul = await startConsul()
    console.log(`\n${file.replace('.bench.ts', '')}, on Consul ${consul.version}, Node ${process.versions.node}`)
    const benchmark = (await import(pathToFileURL(join(PROJECT, 'bench', file)).href)) as {
      readonly default: Benchmark
    }
    await benchmark.default({ consul })
  }
  return 0
})
