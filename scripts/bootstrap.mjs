/**
 * Runs a task of scripts/ on a checkout in which nothing is prepared: checks the version of Node, installs what is missing, then runs
 * scripts/<task>.ts in this same process, so that exit code, arguments and signals are the task's own.
 *
 *   node scripts/bootstrap.mjs <task> [arguments of the task]
 *
 * Plain JavaScript without imports from packages, since it runs before they are there.
 */
import { spawnSync } from 'node:child_process'
import { existsSync, mkdirSync, openSync, closeSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

const project = fileURLToPath(new URL('..', import.meta.url))
const task = process.argv[2] ?? ''
const taskFile = join(project, 'scripts', `${task}.ts`)

checkNode()
if (!/^[a-z-]+$/.test(task) || !existsSync(taskFile))
  fail(`usage: node scripts/bootstrap.mjs <task>; there is no task "${task}"`)
install()
process.chdir(project)
process.argv.splice(1, 2, taskFile)
await import('tsx')
await import(new URL(`./${task}.ts`, import.meta.url).href)

function checkNode() {
  const { engines } = JSON.parse(readFileSync(join(project, 'package.json'), 'utf8'))
  const [wanted, has] = [engines.node.replace('>=', ''), process.versions.node].map((text) =>
    text.split('.').map(Number),
  )
  const firstDifference = has.map((part, i) => part - (wanted[i] ?? 0)).find((difference) => difference !== 0) ?? 0
  if (firstDifference < 0) fail(`Node ${process.versions.node} is too old: this project needs ${engines.node}`)
}

function install() {
  if (isInstalled()) return
  const logFile = join(project, '.cache', 'logs', 'install.log')
  mkdirSync(join(project, '.cache', 'logs'), { recursive: true })
  console.log('installing dependencies …')
  const log = openSync(logFile, 'w')
  const npm = process.platform === 'win32' ? 'npm.cmd' : 'npm'
  const options = { cwd: project, stdio: ['ignore', log, log], shell: process.platform === 'win32' }
  const { status, error } = spawnSync(npm, ['ci', '--no-audit', '--no-fund'], options)
  closeSync(log)
  if (status === 0) return
  console.error(readFileSync(logFile, 'utf8'))
  fail(`npm ci failed (${error?.message ?? `exit code ${status}`})`)
}

/** Compares what is installed with what is locked, rather than the times of the files: a checkout touches those. */
function isInstalled() {
  const read = (...path) => JSON.parse(readFileSync(join(project, ...path), 'utf8')).packages
  // npm writes this file at the end of an installation, so it is missing after one that was broken off.
  if (!existsSync(join(project, 'node_modules', '.package-lock.json'))) return false
  const installed = read('node_modules', '.package-lock.json')
  const locked = Object.entries(read('package-lock.json')).filter(([path]) => path !== '')
  return locked.every(([path, { version, optional }]) =>
    installed[path] ? installed[path].version === version : optional,
  )
}

function fail(message) {
  console.error(message)
  process.exit(1)
}
