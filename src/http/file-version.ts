import type { Stats } from 'node:fs'

/** What changes when a file is written anew, replaced, or its link is turned to another file. */
export function fileVersion({ ino, mtimeMs, size }: Stats): string {
  return `${ino}:${mtimeMs}:${size}`
}
