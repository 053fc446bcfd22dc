import { randomUUID } from 'node:crypto'
import { hostname } from 'node:os'
import { liveRuns } from './live-runs.js'

/** Metadata that tells which run of which process made a registration. */
export const BOOT_KEY = 'proconsul-boot'

/** One run of a process: of one of its clients, for a process can have several. */
export interface Boot {
  readonly hostname: string
  readonly pid: number
  readonly runId: string
}

/** This run. */
export function ownBoot(): Boot {
  return { hostname: hostname(), pid: process.pid, runId: randomUUID() }
}

/** The text that is kept in the metadata. */
export function formatBoot({ runId, pid, hostname }: Boot): string {
  return `${runId}.${pid}.${hostname}`
}

/** The boot of a text; undefined when it is none. */
export function parseBoot(text: string | undefined): Boot | undefined {
  const [, runId, pid, hostname] = /^([0-9a-f-]{36})\.(\d+)\.(.+)$/s.exec(text ?? '') ?? []
  return runId === undefined || hostname === undefined ? undefined : { runId, pid: Number(pid), hostname }
}

/** Whether the run of a boot goes on; undefined when that cannot be told from here. */
export function isAlive(
  boot: Boot,
  own: Boot,
  hasProcess: (pid: number) => boolean = processExists,
  runs: ReadonlySet<unknown> = liveRuns(),
): boolean | undefined {
  if (boot.runId === own.runId) return true
  if (boot.hostname !== own.hostname) return undefined
  // A container that was restarted has the same hostname and the same pid, which is ours now. So has another client of this process.
  return boot.pid === own.pid ? runs.has(boot.runId) : hasProcess(boot.pid)
}

function processExists(pid: number): boolean {
  try {
    process.kill(pid, 0)
    return true
  } catch (error) {
    return error instanceof Error && 'code' in error && error.code === 'EPERM'
  }
}
