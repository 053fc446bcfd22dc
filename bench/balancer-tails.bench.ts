import { mkdirSync, writeFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { createBalancer } from '../src/balancer/create-balancer.js'
import type { PolicyName } from '../src/balancer/policies/builtin.js'
import { seeded, SimulatedServer, SimulatedTime } from './balancer/fleet.js'
import { tailsChart, type Line } from './balancer/tails-chart.js'

/**
 * How long calls take, by policy, in a simulated fleet: 100 servers with four workers each, half of them at 10 ms on average, 30 at 15,
 * 19 at 20, and one that is 20 times slower than the best, under 0.6 of the load that they can take. Times are exponential. A call that
 * takes longer than 2 s has failed. Each caller knows its own calls only; the oracle knows those of all. Ejection is off: what counts
 * here is the choice alone. Draws the charts of the guide, and prints the goals.
 */

const TIMEOUT_MS = 2_000
const LOAD = 0.6
const SETTLE_MS = Number(process.env['BENCH_SETTLE_MS'] ?? 12_000)
const MEASURE_MS = Number(process.env['BENCH_MEASURE_MS'] ?? 10_000)
const MEANS_MS = [
  ...new Array<number>(50).fill(10),
  ...new Array<number>(30).fill(15),
  ...new Array<number>(19).fill(20),
  200,
]
const POLICIES: readonly PolicyName[] = ['p2c', 'least-requests', 'round-robin', 'random']
const CHARTS = fileURLToPath(new URL('../docs/guides/images/', import.meta.url))

interface Result extends Line {
  readonly slowShare: number
}

/** Chooses a server, and is told how the call went. */
type Caller = () => { readonly place: number; done(isFailed: boolean): void }

export default function balancerTails(): Promise<void> {
  mkdirSync(CHARTS, { recursive: true })
  for (const callers of [1_000, 10]) {
    const results = POLICIES.map((policy) => simulate(policy, callers, (time, index) => balanced(policy, time, index)))
    const oracle = simulate('knows all', callers, (_time, index, servers) => knowsAll(servers, index))
    report(callers, [...results, oracle])
    const title = `Latency by percentile, ${callers.toLocaleString('en')} callers, 100 servers, one of them 20 times slower`
    writeFileSync(`${CHARTS}latency-${callers}-callers.svg`, tailsChart(title, [...results, oracle]))
  }
  return Promise.resolve()
}

function report(callers: number, results: readonly Result[]): void {
  const p = ({ sorted }: Result, share: number): number => sorted[Math.floor((sorted.length - 1) * share)] ?? NaN
  console.log(`  ${callers} callers           p50      p99    p99.9   calls of the slow server`)
  for (const result of results) {
    const times = [0.5, 0.99, 0.999].map((share) => p(result, share).toFixed(0).padStart(8)).join(' ')
    console.log(`  ${result.name.padEnd(16)} ${times}   ${(100 * result.slowShare).toFixed(3)} %`)
  }
  const of = (name: string): Result =>
    results.find((result) => result.name === name) ?? { name, sorted: [], slowShare: NaN }
  const tell = (isMet: boolean, what: string): void => console.log(`  ${isMet ? 'ok    ' : 'BEHIND'} ${what}`)
  const mine = of('p2c')
  for (const other of ['least-requests', 'round-robin']) {
    const ratio = p(mine, 0.99) / p(of(other), 0.99)
    tell(ratio <= 0.25, `p99 of p2c / ${other}: ${ratio.toFixed(2)} (goal with 1,000 callers: at most 0.25)`)
  }
  tell(
    mine.slowShare <= 0.0015,
    `the slow server gets ${(100 * mine.slowShare).toFixed(3)} % of the calls (goal: at most 0.15 %)`,
  )
  const ratio = p(mine, 0.99) / p(of('knows all'), 0.99)
  tell(ratio <= 1.3, `p99 of p2c / one that knows all: ${ratio.toFixed(2)} (goal: at most 1.3)`)
}

function simulate(
  name: string,
  callers: number,
  make: (time: SimulatedTime, index: number, servers: readonly SimulatedServer[]) => Caller,
): Result {
  const [time, random] = [new SimulatedTime(), seeded(42)]
  const servers = MEANS_MS.map((meanMs) => new SimulatedServer(meanMs, time, random))
  const gapMs = (callers * 1_000) / (LOAD * servers.reduce((sum, { capacity }) => sum + capacity, 0))
  const latencies: number[] = []
  const call = (caller: Caller): void => {
    const began = time.monotonic()
    const chosen = caller()
    let isOver = false
    const end = (isFailed: boolean): void => {
      if (isOver) return
      isOver = true
      chosen.done(isFailed)
      if (began >= SETTLE_MS) latencies.push(time.monotonic() - began)
    }
    servers[chosen.place]?.call(() => end(false))
    time.at(began + TIMEOUT_MS, () => end(true))
  }
  for (let index = 0; index < callers; index += 1) {
    const caller = make(time, index, servers)
    const next = (): void => {
      call(caller)
      time.at(time.monotonic() - gapMs * Math.log(1 - random()), next)
    }
    time.at(random() * gapMs, next)
  }
  time.runUntil(SETTLE_MS)
  const before = servers.map(({ calls }) => calls)
  time.runUntil(SETTLE_MS + MEASURE_MS)
  const calls = servers.map((server, place) => server.calls - (before[place] ?? 0))
  const slowShare = (calls.at(-1) ?? NaN) / calls.reduce((sum, count) => sum + count, 0)
  return { name, slowShare, sorted: latencies.toSorted((a, b) => a - b) }
}

const INSTANCES = MEANS_MS.map((_meanMs, place) => ({
  id: String(place),
  name: 's',
  address: '127.0.0.1',
  port: 1 + place,
}))

function balanced(policy: PolicyName, clock: SimulatedTime, index: number): Caller {
  const balancer = createBalancer(INSTANCES, { policy, clock, random: seeded(index + 1), outliers: false })
  return () => {
    const pick = balancer.pick()
    return { place: Number(pick.instance.id), done: (isFailed) => pick.done({ ok: !isFailed }) }
  }
}

/** Of two servers at random, the one that will answer sooner, by all calls under way and the true speed. */
function knowsAll(servers: readonly SimulatedServer[], index: number): Caller {
  const random = seeded(index + 1)
  const waitMs = (place: number): number => {
    const { inFlight, meanMs } = servers[place] ?? { inFlight: Infinity, meanMs: 1 }
    return (inFlight + 1) * meanMs
  }
  return () => {
    const first = Math.floor(random() * servers.length)
    const other = Math.floor(random() * (servers.length - 1))
    const second = other < first ? other : other + 1
    return { place: waitMs(second) < waitMs(first) ? second : first, done: () => undefined }
  }
}
