/**
 * Changes the code of a folder of src in many small ways, one at a time, and counts how many of the changes its unit tests notice:
 * `npm run mutation -- lifecycle`, or of one file, `npm run mutation -- core/abort`. Prints what nobody noticed, and the score of each file
 * and of the whole. Takes minutes, so it is no part of what a change has to pass.
 */
import { existsSync } from 'node:fs'
import { dirname, join, relative } from 'node:path'
import { Stryker } from '@stryker-mutator/core'
import { CACHE, PROJECT, runTask } from './project.js'

/** A change of the code, and what became of it. */
interface Mutant {
  readonly fileName: string
  readonly status: string
  readonly mutatorName: string
  readonly replacement: string
  readonly location: { readonly start: { readonly line: number } }
}

/** The tests noticed it: one failed, or did not come to its end. */
const NOTICED: readonly string[] = ['Killed', 'Timeout']
/** What could not be tried does not count. */
const COUNTED: readonly string[] = [...NOTICED, 'Survived', 'NoCoverage']

await runTask(async () => {
  const [target = ''] = process.argv.slice(2)
  const isFile = existsSync(join(PROJECT, 'src', `${target}.ts`))
  if (target === '' || (!isFile && !existsSync(join(PROJECT, 'src', target)))) {
    throw new Error('name a folder or a file of src: npm run mutation -- lifecycle')
  }
  process.env['MUTATED_FOLDER'] = isFile ? dirname(target) : target
  const stryker = new Stryker({
    mutate: [isFile ? `src/${target}.ts` : `src/${target}/**/*.ts`],
    testRunner: 'vitest',
    vitest: { configFile: 'vitest.mutation.config.ts', related: false },
    plugins: ['@stryker-mutator/vitest-runner'],
    ignorePatterns: ['/dist', '/coverage', '/.cache', '/bench', '/examples'],
    reporters: ['progress'],
    tempDirName: join(CACHE, 'mutation'),
    concurrency: 2,
    timeoutMS: 10_000,
    // Texts are for people; tests compare those that count.
    mutator: { plugins: null, excludedMutations: ['StringLiteral'] },
    allowConsoleColors: process.stdout.isTTY,
  })
  report(await stryker.runMutationTest())
  return 0
})

function report(mutants: readonly Mutant[]): void {
  const counted = mutants.filter(({ status }) => COUNTED.includes(status))
  const paths = [...new Set(counted.map(({ fileName }) => fileName))].sort()
  for (const path of paths) {
    const file = relative(PROJECT, path)
    const ofFile = counted.filter(({ fileName }) => fileName === path)
    console.log(`${score(ofFile)}  ${file}`)
    for (const { status, mutatorName, replacement, location } of ofFile) {
      if (NOTICED.includes(status)) continue
      console.log(
        `         ${file}:${location.start.line} ${mutatorName}: ${replacement.replaceAll(/\s+/g, ' ').slice(0, 80)}`,
      )
    }
  }
  console.log(`${score(counted)}  of ${counted.length} changes were noticed`)
}

function score(mutants: readonly Mutant[]): string {
  const noticed = mutants.filter(({ status }) => NOTICED.includes(status)).length
  return `${((100 * noticed) / Math.max(1, mutants.length)).toFixed(1).padStart(5)} %`
}
