import { setMaxListeners } from 'node:events'
import { describe, expect, it } from 'vitest'
import type { Clock } from '../../../src/core/clock.js'
import { Lane } from '../../../src/http/lane.js'
import { WatchEngine } from '../../../src/watch/watch-engine.js'
import { resolveWatchOptions } from '../../../src/watch/watch-options.js'
import type { WatchRead, WatchReading } from '../../../src/watch/watch-query.js'
import { FakeClock } from '../../support/fake-clock.js'
import { failure, Heard, query } from './harness.js'

const CLIENTS = 2_000
const QUERIES = 3
const DOWN_AT_MS = 10_000
const UP_AT_MS = 25_000
const END_MS = 45_000
const BIN_MS = 100

/** An agent that many clients ask: it goes down, ends every query under way, refuses all, and comes back without its state. */
class SimulatedAgent {
  /** Requests that reached the agent or were refused by it, per tenth of a second. */
  readonly rate: number[] = Array.from({ length: END_MS / BIN_MS }, () => 0)
  readonly #clock: Clock
  readonly #blocked = new Set<(error: Error) => void>()
  #isDown = false

  constructor(clock: Clock) {
    this.#clock = clock
    clock.setTimer(() => this.#goDown(), DOWN_AT_MS)
    clock.setTimer(() => (this.#isDown = false), UP_AT_MS)
  }

  readonly read = async (request: Pick<WatchRead, 'index' | 'signal'>): Promise<WatchReading<string>> => {
    const bin = Math.floor(this.#clock.monotonic() / BIN_MS)
    this.rate[bin] = (this.rate[bin] ?? 0) + 1
    if (this.#isDown) throw failure()
    if (request.index === undefined) return { value: 'state', meta: { index: 1 } }
    return await new Promise((_resolve, reject) => {
      this.#blocked.add(reject)
      request.signal.addEventListener('abort', () => reject(failure('PROCONSUL_CLOSED')), { once: true })
    })
  }

  /** The most requests in any tenth of a second from then on, after the first hit of the outage itself. */
  peak(fromMs: number): number {
    return Math.max(...this.rate.slice(Math.ceil(fromMs / BIN_MS) + 1))
  }

  #goDown(): void {
    this.#isDown = true
    for (const reject of this.#blocked) reject(failure())
    this.#blocked.clear()
  }
}

/** Pseudo-random numbers, the same in every run. */
function seeded(seed: number): () => number {
  let state = seed
  return () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0
    return state / 2 ** 32
  }
}

/** As the npm client does it: each query by itself, a delay that doubles up to 30 s, and no jitter. */
async function naiveLoop(agent: SimulatedAgent, clock: Clock, signal: AbortSignal): Promise<void> {
  let index: number | undefined
  for (let attempt = 0; !signal.aborted;) {
    try {
      index = (await agent.read({ ...(index !== undefined && { index }), signal })).meta.index
      attempt = 0
    } catch {
      index = undefined
      const delayMs = Math.min(30_000, 100 * 2 ** attempt)
      attempt += 1
      await new Promise<void>((resolve) => clock.setTimer(resolve, delayMs))
    }
  }
}

describe('a fleet of two thousand clients whose agent restarts', () => {
  it(
    'spreads its requests over time, where clients without jitter and shared back-off come all at once',
    { timeout: 300_000 },
    async () => {
      const clock = new FakeClock()
      const agent = new SimulatedAgent(clock)
      const silent = (): void => undefined
      const runtime = { clock, random: seeded(7), logger: { debug: silent, info: silent, warn: silent, error: silent } }
      const recovered: number[] = []
      const engines = Array.from({ length: CLIENTS }, () => {
        const budget = { blockingPlaces: 64, plainReads: new Lane(8, clock) }
        const engine = new WatchEngine(runtime, budget, resolveWatchOptions())
        const texts = engine.family<string>({ name: 'text', reconcile: (previous) => previous })
        for (let number = 0; number < QUERIES; number++) {
          const heard = new Heard<string>()
          heard.onRecovery = () => void recovered.push(clock.monotonic())
          texts.subscribe(query(`k${number}`, agent), heard)
        }
        return engine
      })
      await runThrough(clock)
      expect(recovered).toHaveLength(CLIENTS * QUERIES)
      expect(Math.max(...recovered) - UP_AT_MS).toBeLessThan(15_000)
      await Promise.all(engines.map((engine) => engine.close()))

      const naiveClock = new FakeClock()
      const naiveAgent = new SimulatedAgent(naiveClock)
      const end = new AbortController()
      setMaxListeners(0, end.signal)
      for (let loop = 0; loop < CLIENTS * QUERIES; loop++) void naiveLoop(naiveAgent, naiveClock, end.signal)
      await runThrough(naiveClock)
      end.abort()

      const [ours, naive] = [agent.peak(DOWN_AT_MS), naiveAgent.peak(DOWN_AT_MS)]
      console.log(`requests in the worst tenth of a second after the outage began: ${ours}, naive clients ${naive}`)
      console.log(`after it ended: ${agent.peak(UP_AT_MS)}, naive clients ${naiveAgent.peak(UP_AT_MS)}`)
      console.log(`requests a second, ours:  ${perSecond(agent.rate)}`)
      console.log(`requests a second, naive: ${perSecond(naiveAgent.rate)}`)
      expect(naive).toBeGreaterThanOrEqual(CLIENTS * QUERIES)
      expect(ours).toBeLessThan(naive / 3)
      expect(agent.peak(UP_AT_MS)).toBeLessThan(naive / 10)
    },
  )
})

/** Fires timers in steps, for a fleet has too many of them to let promises settle after each. */
async function runThrough(clock: FakeClock): Promise<void> {
  for (let atMs = 0; atMs < END_MS; atMs += BIN_MS / 2) await clock.advance(BIN_MS / 2)
}

function perSecond(rate: readonly number[]): string {
  const bins = 1_000 / BIN_MS
  const sums = Array.from({ length: rate.length / bins }, (_, second) =>
    rate.slice(second * bins, (second + 1) * bins).reduce((sum, count) => sum + count, 0),
  )
  return sums.join(' ')
}
