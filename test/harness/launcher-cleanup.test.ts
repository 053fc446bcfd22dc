import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync } from 'node:fs'
import { createInterface } from 'node:readline'
import { expect, it } from 'vitest'
import { eventually } from '../support/eventually.js'
import { isRunning } from '../support/provision/file-lock.js'

const LAUNCHER = new URL('../support/consul-agent.ts', import.meta.url).href
const SCRIPT = `
  import { startConsul } from '${LAUNCHER}'
  const agent = await startConsul({ unixSocket: true })
  if (process.env.PAUSE) await agent.pause()
  console.log(JSON.stringify({ pid: agent.pid, socketPath: agent.socketPath }))
  if (process.env.EXIT) process.exit(0)
  setInterval(() => {}, 1000)
`

async function startInChild(env: Record<string, string>): Promise<Started> {
  const args = ['--import', 'tsx', '--input-type=module', '-e', SCRIPT]
  const child = spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'inherit'], env: { ...process.env, ...env } })
  const ended = once(child, 'close')
  const [line] = (await once(createInterface(child.stdout), 'line')) as [string]
  const { pid, socketPath } = JSON.parse(line) as { pid: number; socketPath: string }
  const end = async (signal: NodeJS.Signals): Promise<void> => {
    child.kill(signal)
    await ended
  }
  return { pid, socketPath, end, ended }
}

interface Started {
  readonly pid: number
  readonly socketPath: string
  readonly ended: Promise<unknown>
  end(signal: NodeJS.Signals): Promise<void>
}

const nothingLeft = ({ pid, socketPath }: Started): Promise<void> =>
  eventually(() => {
    expect(isRunning(pid)).toBe(false)
    expect(existsSync(socketPath)).toBe(false)
  })

it.each(['SIGKILL', 'SIGTERM', 'SIGINT'] as const)(
  'leaves no agent and no file behind a process ended by %s',
  async (signal) => {
    const started = await startInChild({})
    await started.end(signal)
    await nothingLeft(started)
  },
)

it('leaves no paused agent behind either', async () => {
  const started = await startInChild({ PAUSE: 'yes' })
  await started.end('SIGKILL')
  await nothingLeft(started)
})

it('leaves nothing behind a process that exits without closing its agent', async () => {
  const started = await startInChild({ EXIT: 'yes' })
  await started.ended
  await nothingLeft(started)
})
