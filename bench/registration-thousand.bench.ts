import { fork } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'
import { startConsul } from '../test/support/consul-agent.js'

/**
 * A thousand TTL services of 15 s in one process, for two minutes, beside a thousand bare `http.request` beats in another process on
 * the same agent at the same time: whether every beat was in time, what it cost, and how evenly the beats were spread.
 */

const COUNT = 1_000
const TTL_MS = 15_000
const LENGTH_MS = 120_000
const SCRIPT = fileURLToPath(new URL('registration/many-beats.ts', import.meta.url))

interface Outcome {
  readonly beats: number
  /** Failed heartbeats by the code of the error. */
  readonly failures: Readonly<Record<string, number>>
  readonly longestGapMs: number
  readonly late: number
  readonly cpuPercent: number
  readonly rssMb: number
  readonly busiestTenth: number
  readonly meanTenth: number
}

export default async function registrationThousand(): Promise<void> {
  // At its usual level the agent logs every service at every registration, which would be what is measured.
  await using consul = await startConsul({ flags: ['-log-level=warn'] })
  const run = async (kind: string): Promise<Outcome> => {
    const args = [kind, consul.host, String(consul.port), String(COUNT), String(TTL_MS), String(LENGTH_MS)]
    const child = fork(SCRIPT, args, { execArgv: ['--import', 'tsx'] })
    const [outcome] = (await once(child, 'message')) as [Outcome]
    await once(child, 'exit')
    return outcome
  }
  const [ours, bare] = await Promise.all([run('ours'), run('bare')])
  for (const [name, outcome] of [['proconsul', ours] as const, ['bare', bare] as const]) {
    const { beats, failures, late, longestGapMs, cpuPercent, rssMb, busiestTenth, meanTenth } = outcome
    console.log(
      `${name}: ${beats} beats, failed ${JSON.stringify(failures)}, ${late} later than the TTL, longest gap ${(longestGapMs / 1_000).toFixed(2)} s, CPU ${cpuPercent.toFixed(1)} %, ` +
        `memory ${rssMb.toFixed(0)} MB, busiest tenth of a second ${busiestTenth} beats (mean ${meanTenth.toFixed(1)})`,
    )
  }
  console.log(`CPU ${ratio(ours.cpuPercent, bare.cpuPercent)}, memory ${ratio(ours.rssMb, bare.rssMb)} of bare`)
}

function ratio(left: number, right: number): string {
  return `${(left / right).toFixed(2)} times`
}
