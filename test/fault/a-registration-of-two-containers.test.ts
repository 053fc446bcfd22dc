import { spawn, spawnSync, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'
import { describe, expect, it } from 'vitest'
import type { ConsulAgent } from '../support/consul-agent.js'
import { eventually } from '../support/eventually.js'
import { afterTest, consulAgent } from '../support/opened.js'

const SERVICE = fileURLToPath(new URL('../support/contained-service.ts', import.meta.url))
/** What containers with the network and the name of their host have: a process of its own with the pid 1. */
const CONTAINED = ['--pid', '--fork', '--kill-child', '--mount-proc'] as const
const canContain = spawnSync('unshare', [...CONTAINED, 'true']).status === 0

/** Resolves, when the service is registered, with all that it goes on to say. */
async function contained(agent: ConsulAgent, id: string): Promise<{ readonly said: string[] }> {
  const command = [process.execPath, '--import', 'tsx', SERVICE, agent.url, id]
  const child = spawn('unshare', [...CONTAINED, ...command], { stdio: ['ignore', 'pipe', 'inherit'] })
  afterTest(() => end(child))
  const said: string[] = []
  child.stdout.setEncoding('utf8').on('data', (text: string) => said.push(...text.trim().split('\n')))
  await eventually(() => expect(said).toEqual(['registered']), { within: 20_000 })
  return { said }
}

async function end(child: ChildProcess): Promise<void> {
  child.kill('SIGKILL')
  if (child.exitCode === null && child.signalCode === null) await once(child, 'exit')
}

const idsOf = async (agent: ConsulAgent): Promise<readonly string[]> =>
  Object.keys(await agent.read<object>('/v1/agent/services')).sort()

describe.skipIf(!canContain)('two containers with the host name and the pid of each other', () => {
  it('leave each other alone under ids of their own', async () => {
    const agent = await consulAgent()
    const older = await contained(agent, 'contained-1')
    await contained(agent, 'contained-2')
    expect(await idsOf(agent)).toEqual(['contained-1', 'contained-2'])
    expect(older.said).toEqual(['registered'])
  })

  it('do not fight for one id: the newer one keeps it', async () => {
    const agent = await consulAgent()
    const older = await contained(agent, 'contained-1')
    const newer = await contained(agent, 'contained-1')
    await eventually(() => expect(older.said).toEqual(['registered', 'lost: taken']), { within: 10_000 })
    expect(newer.said).toEqual(['registered'])
  })
})
