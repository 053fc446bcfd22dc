import { cutBytes, OUTPUT_LIMIT_BYTES } from './output-limit.js'
import type { RegistrationHealth } from './probe-board.js'

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
