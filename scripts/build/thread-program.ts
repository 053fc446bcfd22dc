import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { build } from 'esbuild'

/**
 * Makes one text of the program of the heartbeat thread and what it imports. The text is a module of src, so that the thread starts in
 * the same way from the package in either module system, from a bundle, and from src in tests; docs/decisions/0011 tells why.
 */

const FOLDER = 'src/registration/heartbeat/thread'

const HEAD = `/**
 * The program of the heartbeat thread, made by the build of worker.ts and what that imports. It is not to be edited: change worker.ts,
 * and run \`npm run build\`.
 */
`

/** The module that holds the program, as it is to be. */
export async function threadProgram(project: string): Promise<string> {
  const { outputFiles } = await build({
    absWorkingDir: project,
    entryPoints: [`${FOLDER}/worker.ts`],
    bundle: true,
    write: false,
    platform: 'node',
    // A thread that is started from a text runs it as CommonJS.
    format: 'cjs',
    target: 'node20',
    charset: 'utf8',
    minifyWhitespace: true,
    minifySyntax: true,
    legalComments: 'none',
  })
  const [{ text } = { text: '' }] = outputFiles
  return `${HEAD}export const THREAD_PROGRAM = ${JSON.stringify(text)}\n`
}

/** Where it is kept. */
export function threadProgramFile(project: string): string {
  return join(project, FOLDER, 'program.ts')
}

/** Writes the module where it is not as it is to be. */
export async function writeThreadProgram(project: string): Promise<void> {
  const file = threadProgramFile(project)
  const module = await threadProgram(project)
  if (readFileSync(file, { encoding: 'utf8', flag: 'a+' }) !== module) writeFileSync(file, module)
}
