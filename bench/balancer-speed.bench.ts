import { fork, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'

/**
 * What it costs to choose an instance and to say how the call went, beside what one would write by hand, round_robin of @grpc/grpc-js, and
 * two packages from npm. Each has a process of its own; they take turns, slice by slice, so that a busy machine slows all of them.
 * Processor time is counted, the median of the slices; ratios say more than absolutes. Printed with the goals.
 */

const SIZES = [10, 100, 1_000]
const SLICES = 21
const NAMES = [
  'by hand, round robin',
  'round-robin',
  '@grpc/grpc-js round_robin',
  'weighted-round-robin',
  'least-requests',
  'random',
  'by hand, peak EWMA',
  'p2c',
  'consistent-hash',
  'npm loadbalance, round robin',
  'npm load-balancers, p2c',
]

interface Slice {
  readonly nanoseconds: number
  readonly bytes: number
}

export default async function balancerSpeed(): Promise<void> {
  const results = new Map<string, Slice[]>(NAMES.map((name) => [name, []]))
  for (const size of SIZES) for (const [name, slice] of await measure(size)) results.get(name)?.push(slice)
  const width = Math.max(...NAMES.map((name) => name.length))
  console.log(`  million picks a second with ${SIZES.join(' / ')} instances; bytes a pick`)
  for (const [name, slices] of results) {
    const speeds = slices.map(({ nanoseconds }) => (1_000 / nanoseconds).toFixed(1).padStart(6)).join(' ')
    const bytes = Math.max(...slices.map((slice) => slice.bytes))
    console.log(`  ${name.padEnd(width)} ${speeds}   ${bytes.toFixed(0).padStart(4)} B`)
  }
  report(results)
}

async function measure(size: number): Promise<ReadonlyMap<string, Slice>> {
  const file = fileURLToPath(new URL('./balancer/contender.ts', import.meta.url))
  const children = NAMES.map((name) => ({ name, child: fork(file, [name, String(size)]), slices: new Array<Slice>() }))
  try {
    await Promise.all(children.map(({ child }) => once(child, 'message')))
    for (let slice = 0; slice < SLICES; slice += 1) {
      for (const { child, slices } of children) slices.push(await ask(child))
    }
  } finally {
    for (const { child } of children) child.kill()
  }
  return new Map(children.map(({ name, slices }) => [name, medianOf(slices)]))
}

async function ask(child: ChildProcess): Promise<Slice> {
  const answer = once(child, 'message')
  child.send('measure')
  const [slice] = (await answer) as [Slice]
  return slice
}

function medianOf(slices: readonly Slice[]): Slice {
  const median = (values: readonly number[]): number => values.toSorted((a, b) => a - b)[values.length >> 1] ?? NaN
  return {
    nanoseconds: median(slices.map(({ nanoseconds }) => nanoseconds)),
    // Where the collector ran in between, nothing can be said.
    bytes: median(slices.map(({ bytes }) => bytes).filter((bytes) => bytes >= 0)),
  }
}

function report(results: ReadonlyMap<string, readonly Slice[]>): void {
  const costs = (name: string): readonly number[] => (results.get(name) ?? []).map(({ nanoseconds }) => nanoseconds)
  const tell = (isMet: boolean, what: string): void => console.log(`  ${isMet ? 'ok    ' : 'BEHIND'} ${what}`)
  const goal = (name: string, base: string, least: number): void => {
    const ratios = costs(name).map((cost, index) => (costs(base)[index] ?? NaN) / cost)
    const shown = ratios.map((ratio) => ratio.toFixed(2)).join(' / ')
    tell(Math.min(...ratios) >= least, `${name} / ${base}: ${shown} (goal: at least ${least})`)
  }
  goal('round-robin', 'by hand, round robin', 0.9)
  goal('round-robin', '@grpc/grpc-js round_robin', 1)
  goal('weighted-round-robin', 'round-robin', 0.8)
  goal('least-requests', 'by hand, round robin', 0.4)
  goal('p2c', 'by hand, round robin', 0.1)
  goal('p2c', 'by hand, peak EWMA', 0.9)
  goal('consistent-hash', 'by hand, round robin', 0.15)
  for (const name of ['p2c', 'round-robin', 'weighted-round-robin', 'least-requests', 'random']) {
    const [few = NaN, , many = NaN] = costs(name)
    tell(
      many / few <= 1.5,
      `${name}, 1,000 instances / 10: ${(many / few).toFixed(2)} times the cost (goal: at most 1.5)`,
    )
  }
  const [, some = NaN, many = NaN] = costs('consistent-hash')
  tell(
    many / some <= 1.5,
    `consistent-hash, ring of 1,000 / of 100: ${(many / some).toFixed(2)} times the cost (goal: at most 1.5)`,
  )
  for (const name of ['p2c', 'round-robin', 'weighted-round-robin', 'least-requests', 'random', 'consistent-hash']) {
    const bytes = Math.max(...(results.get(name) ?? []).map((slice) => slice.bytes))
    tell(bytes <= 64, `${name}: ${bytes.toFixed(0)} bytes a pick (goal: at most 64)`)
  }
}
