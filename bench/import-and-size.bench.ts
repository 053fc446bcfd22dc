import { execFileSync } from 'node:child_process'
import { readFileSync, readdirSync, statSync } from 'node:fs'
import { createRequire } from 'node:module'
import { join } from 'node:path'

/** Import time and installed size beside the npm `consul` client, which is among our own dependencies. */

const RUNS = 21

interface Manifest {
  readonly name: string
  readonly files?: readonly string[]
  readonly dependencies?: Readonly<Record<string, string>>
}

export default function importAndSize(): void {
  const times = { proconsul: [] as number[], consul: [] as number[] }
  for (let run = 0; run < RUNS; run++) {
    times.proconsul.push(importMs('proconsul'))
    times.consul.push(importMs('consul'))
  }
  const [ours, theirs] = [median(times.proconsul), median(times.consul)]
  console.log(
    `import    proconsul ${ours.toFixed(1)} ms, consul ${theirs.toFixed(1)} ms: ${(ours / theirs).toFixed(2)} times`,
  )

  const [ourBytes, theirBytes] = [installedBytes(process.cwd()), installedBytes(packageFolder('consul', process.cwd()))]
  const kb = (bytes: number): string => `${Math.round(bytes / 1_024)} KB`
  console.log(
    `installed proconsul ${kb(ourBytes)}, consul ${kb(theirBytes)}: ${(ourBytes / theirBytes).toFixed(2)} times`,
  )
}

/** A fresh process for each, so that nothing is loaded already but what Node.js loads itself. */
function importMs(name: string): number {
  const program = `const at = performance.now(); await import('${name}'); console.log(performance.now() - at)`
  return Number(execFileSync(process.execPath, ['--input-type=module', '-e', program], { encoding: 'utf8' }))
}

/** Bytes of the package as published, with everything it depends on, each once. */
function installedBytes(folder: string, seen = new Set<string>()): number {
  if (seen.has(folder)) return 0
  seen.add(folder)
  const { files, dependencies = {} } = JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8')) as Manifest
  const own = (files === undefined || seen.size > 1 ? [''] : ['package.json', ...files]).reduce(
    (sum, name) => sum + bytesBelow(join(folder, name)),
    0,
  )
  return Object.keys(dependencies).reduce((sum, name) => sum + installedBytes(packageFolder(name, folder), seen), own)
}

function packageFolder(name: string, from: string): string {
  const paths = createRequire(join(from, 'package.json')).resolve.paths(name) ?? []
  const found = paths.map((path) => join(path, name)).find((path) => statSync(path, { throwIfNoEntry: false }))
  if (found === undefined) throw new Error(`${name} is not installed`)
  return found
}

function bytesBelow(path: string): number {
  const stat = statSync(path, { throwIfNoEntry: false })
  if (stat === undefined) return 0
  if (!stat.isDirectory()) return stat.size
  return readdirSync(path)
    .filter((name) => name !== 'node_modules')
    .reduce((sum, name) => sum + bytesBelow(join(path, name)), 0)
}

function median(values: number[]): number {
  return values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)] ?? NaN
}
