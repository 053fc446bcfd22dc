import { fork } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'
import { setTimeout as pause } from 'node:timers/promises'
import type { ConsulAgent } from '../test/support/consul-agent.js'

/**
 * What Consul shows of a TTL service of 10 s whose event loop is blocked for 20 s: with the heartbeat thread, beside the npm client with
 * `setInterval(pass)`, at the same time on the same agent. Each line is a change, with its time since the block began.
 */

const TTL_MS = 10_000
const BLOCK_MS = 20_000
const LOOK_MS = 50
const SERVICE = fileURLToPath(new URL('../test/support/blocked-service.ts', import.meta.url))

export default async function registrationBlocked({ consul }: { readonly consul: ConsulAgent }): Promise<void> {
  const histories = await Promise.all(['ours', 'theirs'].map((kind) => history(consul, kind)))
  console.log(
    `proconsul with a heartbeat thread:\n${histories[0] ?? ''}\nnpm consul with setInterval(pass):\n${histories[1] ?? ''}`,
  )
}

async function history(consul: ConsulAgent, kind: string): Promise<string> {
  const args = [kind, consul.host, String(consul.port), String(TTL_MS), String(BLOCK_MS)]
  const child = fork(SERVICE, args, { execArgv: ['--import', 'tsx'] })
  const lines: string[] = []
  let blockedAt = Infinity
  let shown = ''
  child.on('message', (message) => {
    if (message === 'blocking') blockedAt = performance.now()
  })
  while (performance.now() - blockedAt < BLOCK_MS + TTL_MS / 2) {
    const checks = await consul.read<Record<string, { Status: string; Output: string }>>('/v1/agent/checks')
    const check = checks[`service:${kind}-1`]
    const [output = ''] = check?.Output.split('\n') ?? []
    const state = `${check?.Status ?? 'unknown'} ${output.replace(/ for [\d.]+ s$/, '')}`
    if (state !== shown && blockedAt < Infinity) {
      const seconds = ((performance.now() - blockedAt) / 1_000).toFixed(1)
      lines.push(`  ${seconds.padStart(5)} s  ${check?.Status ?? 'unknown'}: ${output}`)
      shown = state
    }
    await pause(LOOK_MS)
  }
  child.send('leave')
  await once(child, 'exit')
  return lines.join('\n')
}
