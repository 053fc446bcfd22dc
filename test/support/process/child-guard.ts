import { spawn, type ChildProcess } from 'node:child_process'
import { rmSync } from 'node:fs'

/**
 * Kills children and removes folders when this process ends, however it ends. At a normal exit the process does it itself. When it is
 * killed, a small guardian process notices that its standard input has closed and does it then, also to a child that is stopped.
 */
const GUARDIAN = `
const pids = new Set(), folders = new Set()
let text = ''
process.stdin.setEncoding('utf8')
process.stdin.on('data', (chunk) => {
  const lines = (text + chunk).split('\\n')
  text = lines.pop()
  for (const line of lines) {
    const [verb, kind, value] = line.split('\\t')
    const set = kind === 'pid' ? pids : folders
    if (verb === 'guard') set.add(value)
    else set.delete(value)
  }
})
process.stdin.on('end', () => {
  for (const pid of pids) try { process.kill(Number(pid), 'SIGKILL') } catch {}
  setTimeout(() => {
    for (const folder of folders) require('node:fs').rmSync(folder, { recursive: true, force: true, maxRetries: 5 })
  }, 100)
})
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) process.on(signal, () => {})
`

const pids = new Set<number>()
const folders = new Set<string>()
let guardian: ChildProcess | undefined

/** Has the child killed at the latest when this process ends. Call the result once the child has ended. */
export function guardChild(pid: number): () => void {
  pids.add(pid)
  tell(`guard\tpid\t${pid}`)
  return () => {
    if (pids.delete(pid)) tell(`release\tpid\t${pid}`)
  }
}

/** Has the folder removed at the latest when this process ends. Call the result once it is removed. */
export function guardFolder(path: string): () => void {
  folders.add(path)
  tell(`guard\tfolder\t${path}`)
  return () => {
    if (folders.delete(path)) tell(`release\tfolder\t${path}`)
  }
}

function tell(line: string): void {
  guardian ??= startGuardian()
  guardian.stdin?.write(`${line}\n`)
}

function startGuardian(): ChildProcess {
  // Detached, for a Ctrl-C in the terminal reaches the whole process group, and the guardian has to outlive that.
  const child = spawn(process.execPath, ['-e', GUARDIAN], { detached: true, stdio: ['pipe', 'ignore', 'ignore'] })
  child.unref()
  const input = child.stdin as typeof child.stdin & { unref?: () => void }
  input.unref?.()
  process.on('exit', cleanUp)
  return child
}

function cleanUp(): void {
  for (const pid of pids) {
    try {
      process.kill(pid, 'SIGKILL')
    } catch {
      // It has ended already.
    }
  }
  for (const folder of folders) rmSync(folder, { recursive: true, force: true, maxRetries: 5, retryDelay: 20 })
}
