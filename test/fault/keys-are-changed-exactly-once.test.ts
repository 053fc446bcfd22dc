import { expect, it } from 'vitest'
import type { Proconsul } from '../../src/index.js'
import { isProconsulError } from '../../src/errors/proconsul-error.js'
import { startConsulCluster } from '../support/consul-cluster.js'
import { eventually } from '../support/eventually.js'
import { client, kept } from '../support/opened.js'

const KILLS = 4

/** What became of the calls of one process. */
interface Tally {
  acknowledged: number
  undecided: number
  readonly rejected: string[]
}

it('four leaders are killed while eight processes count: each acknowledged step is there once, and none is given up that had no effect', async () => {
  const cluster = kept(await startConsulCluster({ hcl: 'performance { raft_multiplier = 1 }' }))
  // Half of them talk to an agent that stays, half to servers that are killed in turn.
  const addresses = Array.from({ length: 8 }, (_, index) => (cluster.servers[index] ?? cluster.client).url)
  const processes = addresses.map((address) => client(address, { timeout: '10s' }))
  let isOver = false
  const tallies = processes.map((): Tally => ({ acknowledged: 0, undecided: 0, rejected: [] }))
  const count = async (consul: Proconsul, key: string, tally: Tally): Promise<void> => {
    while (!isOver) {
      try {
        await consul.kv.update(key, (value) => String(Number(value ?? '0') + 1), { patience: '25s' })
        tally.acknowledged += 1
      } catch (error) {
        if (isProconsulError(error) && error.message.includes('is not known')) tally.undecided += 1
        else tally.rejected.push(String(error))
      }
    }
  }
  const counting = tallies.map(async (tally, index) => {
    const consul = processes[index]
    if (consul !== undefined) await count(consul, index % 2 === 0 ? 'even' : 'odd', tally)
  })
  const eachCountsOn = async (): Promise<void> => {
    const before = tallies.map(({ acknowledged }) => acknowledged)
    await eventually(
      () => {
        for (const [index, { acknowledged }] of tallies.entries())
          expect(acknowledged).toBeGreaterThan(Number(before[index]))
      },
      { within: 30_000 },
    )
  }
  await eachCountsOn()
  for (let kill = 0; kill < KILLS; kill += 1) {
    const killed = await cluster.killLeader()
    await cluster.leader()
    await killed.start()
    await cluster.leader()
  }
  await eachCountsOn()
  isOver = true
  await Promise.all(counting)
  const sum = (which: 'acknowledged' | 'undecided', parity: number): number =>
    tallies.filter((_, index) => index % 2 === parity).reduce((total, tally) => total + tally[which], 0)
  expect(tallies.flatMap(({ rejected }) => rejected)).toEqual([])
  for (const [parity, key] of ['even', 'odd'].entries()) {
    const counted = Number((await processes.at(-1)?.kv.get(key, { consistent: true }))?.value)
    expect(counted).toBeGreaterThanOrEqual(sum('acknowledged', parity))
    expect(counted).toBeLessThanOrEqual(sum('acknowledged', parity) + sum('undecided', parity))
    // The leader had no more than one write of each process when it was killed.
    expect(sum('undecided', parity)).toBeLessThanOrEqual((KILLS * processes.length) / 2)
  }
}, 180_000)
