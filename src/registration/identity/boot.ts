import { randomUUID } from 'node:crypto'
import { hostname } from 'node:os'
import { threadId } from 'node:worker_threads'
import { liveRuns } from './live-runs.js'
import { pidSpace } from './pid-space.js'

/** Metadata that tells which run of which process made a registration. */
export const BOOT_KEY = 'proconsul-boot'

/** One run of a process: of one of its clients, for a process can have several. */
export interface Boot {
  readonly hostname: string
  readonly pid: number
  readonly runId: string
  /** The thread of the client; 0 is the main one. */
  readonly thread: number
  /** Where `pid` counts; undefined where that could not be told. */
  readonly pidSpace: string | undefined
}

/** This run. */
export function ownBoot(): Boot {
  return { hostname: hostname(), pid: process.pid, runId: randomUUID(), thread: threadId, pidSpace: pidSpace() }
}

/** The text that is kept in the metadata. */
export function formatBoot({ runId, pid, thread, pidSpace, hostname }: Boot): string {
  const place = pidSpace === undefined ? '' : `${thread}.${pidSpace}.`
  return `${runId}.${pid}.${place}${hostname}`
}

/** The boot of a text; undefined when it is none. */
export function parseBoot(text: string | undefined): Boot | undefined {
  const [, runId, pid, thread = 0, pidSpace, hostname] =
    /^([0-9a-f-]{36})\.(\d+)\.(?:(\d+)\.([0-9a-f]{16})\.)?(.+)$/s.exec(text ?? '') ?? []
  if (runId === undefined || hostname === undefined) return undefined
  return { runId, pid: Number(pid), thread: Number(thread), pidSpace, hostname }
}

/** Whether the run of a boot goes on; undefined when that cannot be told from here. */
export function isAlive(
  boot: Boot,
  own: Boot,
  hasProcess: (pid: number) => boolean = processExists,
  runs: ReadonlySet<unknown> = liveRuns(),
): boolean | undefined {
  if (boot.runId === own.runId || runs.has(boot.runId)) return true
  if (boot.pidSpace === undefined || boot.pidSpace !== own.pidSpace) return undefined
  if (boot.pid !== own.pid) return hasProcess(boot.pid)
  // Our pid was another's before, or it is another thread of ours, whose clients are not known here.
  return boot.thread === own.thread ? false : undefined
}

/**
 * Whether a run may be what this one follows, as after the restart of a container: of the same host name, and not known to live. One that
 * lives all the same tells of the conflict itself.
 */
export function mayBeForerunner(boot: Boot, own: Boot): boolean {
  return boot.hostname === own.hostname && isAlive(boot, own) !== true
}

function processExists(pid: number): boolean {
  try {
    process.kill(pid, 0)
    return true
  } catch (error) {
    // Any other refusal comes from a process that is there.
    return !(error instanceof Error && 'code' in error && error.code === 'ESRCH')
  }
}
