import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { ExampleProcess, type StartOptions } from './example-process.js'
import { afterTest } from './opened.js'

const SOURCES = pathToFileURL('src/index.ts').href
const BUILT = pathToFileURL('dist/index.js').href
const TSX = import.meta.resolve('tsx')

/** How to start a program that was written down. */
export interface WrittenOptions extends StartOptions {
  /** Default `mjs`. */
  readonly extension?: 'mjs' | 'cjs'
  /** Whether it imports the built package rather than its sources: in a worker thread there is no compiler. */
  readonly built?: boolean
}

/**
 * Starts a program that a test has written down. It imports the package as `proconsul`, and runs on the sources. The process and its file are
 * gone after the test.
 */
export async function startProgram(
  source: string,
  variables: Readonly<Record<string, string>> = {},
  { extension = 'mjs', built = false, ...options }: WrittenOptions = {},
): Promise<ExampleProcess> {
  const folder = await mkdtemp(join(tmpdir(), 'proconsul-program-'))
  afterTest(() => rm(folder, { recursive: true, force: true }))
  const file = join(folder, `program.${extension}`)
  await writeFile(file, source.replaceAll(/(['"])proconsul\1/g, JSON.stringify(built ? BUILT : SOURCES)))
  const program = new ExampleProcess(file, variables, { ...options, nodeOptions: built ? [] : ['--import', TSX] })
  afterTest(() => program[Symbol.asyncDispose]())
  return program
}
