import { existsSync, readdirSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { CACHE, PROJECT } from './project.js'
import { runToLog } from './run-to-log.js'

const INPUTS = ['src', 'package.json', 'tsconfig.json', 'tsup.config.ts']
const OUTPUTS = ['dist/index.js', 'dist/index.cjs', 'dist/index.d.ts', 'dist/index.d.cts']

/** Builds the package unless `dist` is there and younger than everything it is made of. */
export async function freshBuild(): Promise<void> {
  const built = Math.min(...OUTPUTS.map((file) => youngest(join(PROJECT, file))))
  if (built > Math.max(...INPUTS.map((input) => youngest(join(PROJECT, input))))) return
  const build = await runToLog(join(CACHE, 'logs', 'build.log'), [
    process.execPath,
    'node_modules/tsup/dist/cli-default.js',
  ])
  if (!build.ok) throw new Error(`the build failed (${build.ending})\n${await build.output()}`)
}

/** The time of the last change at or below this path; 0 when there is nothing. */
function youngest(path: string): number {
  if (!existsSync(path)) return 0
  const stat = statSync(path)
  if (!stat.isDirectory()) return stat.mtimeMs
  return Math.max(0, ...readdirSync(path).map((name) => youngest(join(path, name))))
}
