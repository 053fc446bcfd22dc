import { createRequire } from 'node:module'
import { P2cBalancer } from 'load-balancers'
import { createBalancer } from '../../src/balancer/create-balancer.js'
import { POLICY_NAMES } from '../../src/balancer/policies/builtin.js'
import { grpcRoundRobin } from './grpc-round-robin.js'
import { peakEwma, roundRobin, servers } from './hand-written.js'

/**
 * A process that measures one way to choose, whenever it is told to: a process has one policy as a rule, and what the compiler learns
 * from others would not be fair to it. Arguments: the name, and how many instances. Answers each message with nanoseconds of processor
 * time for a pick, and the bytes it leaves behind.
 */
const [name = '', count = ''] = process.argv.slice(2)
const size = Number(count)

/** A pick, with what says that the call is over. */
type Choose = (options: { readonly key: string }) => { done(): void }

const KEYS = Array.from({ length: 1_024 }, (_, index) => ({ key: `user-${String(index).padStart(7, '0')}` }))
const PICKS = 200_000
const NOTHING = { done: (): void => undefined }

/** So that what is picked is not found to be unused. */
const kept: { pick?: unknown } = {}

function loop(choose: Choose, picks: number): void {
  for (let index = 0; index < picks; index += 1) {
    const pick = choose(KEYS[index & 1_023] ?? { key: '' })
    kept.pick = pick
    pick.done()
  }
}

/** As in an application, the place that picks must not know what it calls: else the compiler would make one of the loop and the pick. */
function unlearn(): void {
  class Pick {
    done(): void {
      kept.pick = undefined
    }
  }
  for (const extra of ['a', 'b', 'c', 'd', 'e']) {
    const made = (): Pick => Object.assign(new Pick(), { [extra]: 1 })
    loop(() => made(), 20_000)
  }
}

function choose(): Choose {
  if (name === 'by hand, round robin') return roundRobin(servers(size))
  if (name === 'by hand, peak EWMA') return peakEwma(servers(size))
  if (name === '@grpc/grpc-js round_robin') return bare(grpcRoundRobin(size))
  if (name === 'npm load-balancers, p2c') {
    const made = new P2cBalancer(size)
    return bare(() => made.pick())
  }
  if (name === 'npm loadbalance, round robin') {
    const load = createRequire(import.meta.url)
    const loadbalance = load('loadbalance') as { roundRobin(pool: readonly object[]): { pick(): unknown } }
    const made = loadbalance.roundRobin(servers(size))
    return bare(() => made.pick())
  }
  const policy = POLICY_NAMES.find((known) => known === name)
  const weights = (index: number): { passing: number; warning: number } => ({ passing: 1 + (index % 5), warning: 1 })
  const instances = Array.from({ length: size }, (_, index) => ({
    id: `s${index}`,
    name: 's',
    address: '127.0.0.1',
    port: 1_000 + index,
    weights: weights(index),
  }))
  const balancer = createBalancer(instances, { policy })
  return policy === 'consistent-hash' ? (options) => balancer.pick(options) : () => balancer.pick()
}

/** One that counts nothing has nothing to end. */
function bare(pick: () => unknown): Choose {
  return () => {
    kept.pick = pick()
    return NOTHING
  }
}

unlearn()
const chosen = choose()
for (let round = 0; round < 3; round += 1) loop(chosen, PICKS)
process.on('message', () => {
  const before = process.cpuUsage()
  loop(chosen, PICKS)
  const used = process.cpuUsage(before)
  const heapBefore = process.memoryUsage().heapUsed
  loop(chosen, PICKS / 20)
  const bytes = (process.memoryUsage().heapUsed - heapBefore) / (PICKS / 20)
  process.send?.({ nanoseconds: ((used.user + used.system) * 1_000) / PICKS, bytes })
})
process.send?.('ready')
