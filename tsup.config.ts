import { cpSync, rmSync } from 'node:fs'
import { defineConfig, type Options } from 'tsup'
import { writeThreadProgram } from './scripts/build/thread-program.js'

// The two builds below run at once, so neither may clear what the other has written.
rmSync('dist', { recursive: true, force: true })

const shared: Options = {
  entry: { index: 'src/index.ts', 'testing/index': 'src/testing/index.ts', 'cli/bin': 'src/cli/bin.ts' },
  target: 'node20',
  platform: 'node',
  splitting: true,
  dts: { resolve: ['@standard-schema/spec'] },
}

// p-retry is published as an ES module only. Node can require() it, but a test runner with a module system of its own cannot, so the
// CommonJS build carries a copy, and with it the licences.
const COPIED = ['p-retry', 'is-network-error']
for (const name of COPIED) cpSync(`node_modules/${name}/license`, `dist/licenses/${name}.txt`)

export default defineConfig(async () => {
  await writeThreadProgram(process.cwd())
  return [
    { ...shared, format: 'esm' },
    { ...shared, format: 'cjs', noExternal: COPIED },
  ]
})
