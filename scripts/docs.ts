/**
 * Checks the code in README.md and docs/: every block marked `ts` or `js` compiles against the package's own types as its users see
 * them, and every one marked `ts run` also runs to its end against a real Consul; one that shuts down on signals gets SIGTERM once it has
 * registered its service.
 *
 * A block marked `continue` goes on where the one before it on the page ended. What a reader need not see (a declaration of their own
 * database, say) stands in a comment right before the block: `<!-- snippet` on one line, the code, `-->` on another.
 */
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { startConsul } from '../test/support/consul-agent.js'
import { freshBuild } from './fresh-build.js'
import { CACHE, PROJECT, runTask } from './project.js'
import { runProgram } from './run-program.js'
import { runToLog } from './run-to-log.js'

const FOLDER = join(CACHE, 'docs')
const COMPILER_OPTIONS = {
  noUnusedLocals: false,
  noUnusedParameters: false,
  allowJs: true,
  checkJs: true,
  skipLibCheck: false,
}

interface Snippet {
  /** Such as `README.md:42`. */
  readonly place: string
  readonly file: string
  readonly runs: boolean
}

await runTask(async () => {
  rmSync(FOLDER, { recursive: true, force: true })
  mkdirSync(FOLDER, { recursive: true })
  const snippets = pages().flatMap(extract)
  if (snippets.length === 0) throw new Error('README.md and docs/ hold no code')
  await freshBuild()
  if (!(await compiles())) return 1
  const failed = await runAll(snippets.filter((snippet) => snippet.runs))
  console.log(
    `${snippets.length} snippets compile, ${snippets.filter(({ runs }) => runs).length - failed} ran, ${failed} failed`,
  )
  return failed > 0 ? 1 : 0
})

function pages(): string[] {
  const docs = readdirSync(join(PROJECT, 'docs'), { recursive: true, encoding: 'utf8' })
  const found = ['README.md', ...docs.map((name) => join('docs', name))].filter((name) => name.endsWith('.md')).sort()
  return found.filter((name) => existsSync(join(PROJECT, name)))
}

/** Writes each block to a file of its own, on the very lines that it has on the page: so the compiler's line numbers are right. */
function extract(page: string): Snippet[] {
  const lines = readFileSync(join(PROJECT, page), 'utf8').split('\n')
  const snippets: Snippet[] = []
  let code: string[] = []
  let hidden: string[] = []
  let inside: 'text' | 'hidden' | 'code' | 'other' = 'text'
  let fence: { readonly language: string; readonly words: readonly string[]; readonly line: number } | undefined
  for (const [i, line] of lines.entries()) {
    const opening = /^```(\w*)\s*(.*)$/.exec(line)
    if (inside === 'text' && line.trim() === '<!-- snippet') {
      inside = 'hidden'
      hidden = []
    } else if (inside === 'hidden' && line.trim() === '-->') inside = 'text'
    else if (inside === 'hidden') hidden[i] = line
    else if (inside === 'text' && opening) {
      const [, language = '', words = ''] = opening
      inside = language === 'ts' || language === 'js' ? 'code' : 'other'
      fence = { language, words: words.split(/\s+/), line: i + 1 }
      if (inside === 'code' && !fence.words.includes('continue')) code = []
      if (inside === 'code') hidden.forEach((text, at) => (code[at] = text))
      hidden = []
    } else if (inside === 'other' && line.startsWith('```')) inside = 'text'
    else if (inside === 'code' && line.startsWith('```') && fence) {
      inside = 'text'
      const file = join(FOLDER, `${page.replaceAll(/[\\/]/g, '__')}.${fence.line}.${fence.language}`)
      writeFileSync(file, `${Array.from(code, (text?: string) => text ?? '').join('\n')}\nexport {}\n`)
      snippets.push({ place: `${page}:${fence.line}`, file, runs: fence.words.includes('run') })
    } else if (inside === 'code') code[i] = line
  }
  return snippets
}

async function compiles(): Promise<boolean> {
  const config = { extends: '../../tsconfig.json', compilerOptions: COMPILER_OPTIONS, include: ['*.ts', '*.js'] }
  writeFileSync(join(FOLDER, 'tsconfig.json'), JSON.stringify(config))
  const command = [process.execPath, 'node_modules/typescript/bin/tsc', '-p', FOLDER]
  const run = await runToLog(join(CACHE, 'logs', 'docs.log'), command, { cwd: PROJECT })
  if (!run.ok) console.error((await run.output()).replaceAll('.cache/docs/', '').replaceAll('__', '/'))
  return run.ok
}

async function runAll(snippets: readonly Snippet[]): Promise<number> {
  if (snippets.length === 0) return 0
  await using consul = await startConsul()
  let failed = 0
  for (const { place, file } of snippets) {
    const untilSignal = readFileSync(file, 'utf8').includes('shutdownOnSignals')
    const failure = await runProgram({ arguments: ['--import', 'tsx', file], untilSignal }, consul)
    console.log(`  ${failure === undefined ? 'ok    ' : 'FAILED'} ${place}`)
    if (failure === undefined) continue
    failed += 1
    console.error(failure)
  }
  return failed
}
