import type { RegistrationHealth } from './probe-board.js'

/** Consul keeps so many bytes of a check's output, and cuts in the middle of a character. */
export const OUTPUT_LIMIT_BYTES = 4096

/**
 * What people and programs read in Consul: a line for each dependency, the worst first, and JSON as the last line where it fits.
 * It changes only when a result changes: Consul stores every new output of a check on its servers.
 */
export function checkOutput(health: RegistrationHealth): string {
  const probes = Object.entries(health.probes)
  if (probes.length === 0) return 'the process is alive; it has no probes'
  const sorted = probes.sort(([, a], [, b]) => RANK[a.status] - RANK[b.status])
  const lines = sorted.map(
    ([name, { status, output }]) => `${name}: ${status}${output === '' ? '' : ` (${line(output)})`}`,
  )
  const json = JSON.stringify({
    status: health.status,
    probes: Object.fromEntries(sorted.map(([name, { status, output }]) => [name, { status, output }])),
  })
  const text = lines.join('\n')
  const both = `${text}\n${json}`
  return Buffer.byteLength(both) <= OUTPUT_LIMIT_BYTES ? both : cutBytes(text, OUTPUT_LIMIT_BYTES)
}

const RANK = { critical: 0, warning: 1, passing: 2 } as const

function line(text: string): string {
  return text.replace(/\s+/g, ' ').trim()
}

/** The longest head of a text with at most so many bytes of UTF-8 that ends at a whole character. */
export function cutBytes(text: string, limit: number): string {
  const bytes = Buffer.from(text)
  if (bytes.length <= limit) return bytes.toString()
  let end = limit
  // Bytes 10xxxxxx continue a character.
  while (end > 0 && ((bytes[end] ?? 0) & 0xc0) === 0x80) end -= 1
  return bytes.subarray(0, end).toString()
}
