import { createHash } from 'node:crypto'
import { readFileSync, readlinkSync } from 'node:fs'
import { hostname } from 'node:os'

/** Reads what the kernel says under a path of `/proc`. */
export interface KernelFacts {
  read(path: string): string
  link(path: string): string
}

const KERNEL: KernelFacts = { read: (path) => readFileSync(path, 'utf8'), link: (path) => readlinkSync(path) }

/**
 * Names where a process id counts: on Linux one PID namespace of one running kernel, elsewhere a machine. Two runs with the same name
 * see each other's processes. Undefined where it cannot be told.
 */
export function pidSpace(platform: NodeJS.Platform = process.platform, kernel = KERNEL): string | undefined {
  if (platform !== 'linux') return digest([hostname()])
  try {
    return digest([kernel.read('/proc/sys/kernel/random/boot_id').trim(), kernel.link('/proc/self/ns/pid')])
  } catch {
    return undefined
  }
}

/** Short, and no identity of the machine for everybody to read. */
function digest(parts: readonly string[]): string {
  return createHash('sha256').update(parts.join(' ')).digest('hex').slice(0, 16)
}
