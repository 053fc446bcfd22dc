import { fork } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'
import { expect, it } from 'vitest'
import { startConsul, type ConsulAgent } from '../support/consul-agent.js'
import { eventually } from '../support/eventually.js'

interface WireCheck {
  readonly Status: string
  readonly Output: string
}

const SERVICE = fileURLToPath(new URL('../support/blocked-service.ts', import.meta.url))

/** Every status that the agent has of the check, with the first line of its output, until the process is free and passing again. */
async function history(agent: ConsulAgent, kind: string, ttlMs: number, blockMs: number): Promise<string[]> {
  const child = fork(SERVICE, [kind, agent.host, String(agent.port), String(ttlMs), String(blockMs)], {
    execArgv: ['--import', 'tsx'],
  })
  const seen: string[] = []
  let isFree = false
  child.on('message', (message) => {
    if (message === 'free') isFree = true
  })
  await once(child, 'message')
  await eventually(
    async () => {
      const checks = await agent.read<Record<string, WireCheck>>('/v1/agent/checks')
      const check = checks[`service:${kind}-1`]
      const state = `${check?.Status ?? 'gone'}: ${check?.Output.split('\n')[0]?.replace(/[\d.]+ s$/, 'N s') ?? ''}`
      if (seen.at(-1) !== state) seen.push(state)
      if (!isFree || check?.Status !== 'passing') throw new Error(state)
    },
    { within: blockMs + 10_000, every: 50 },
  )
  child.send('leave')
  await once(child, 'exit')
  return seen
}

it('is named by the heartbeat thread in time, where a service that beats from its own loop looks dead', async () => {
  await using agent = await startConsul()
  const [ours, theirs] = await Promise.all([
    history(agent, 'ours', 2_000, 5_000),
    history(agent, 'theirs', 2_000, 5_000),
  ])
  const alive = 'passing: the process is alive; it has no probes'
  expect(ours).toEqual([alive, 'warning: event loop blocked for N s', 'critical: event loop blocked for N s', alive])
  expect(theirs).toContain('critical: TTL expired')
})
