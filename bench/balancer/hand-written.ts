/** What one would write by hand: the measure for the pickers of the package. Each hands out a handle and counts calls in flight. */

/** A server. */
export interface Server {
  readonly name: string
  inFlight: number
  costMs: number
  at: number
}

export function servers(count: number): Server[] {
  return Array.from({ length: count }, (_, index) => ({
    name: `s${index}`,
    inFlight: 0,
    costMs: 1 + (index % 7),
    at: 0,
  }))
}

/** Round robin that hands out what a caller needs: the server, and how to say that the call is over. */
export function roundRobin(list: readonly Server[]): () => { readonly instance: Server; readonly done: () => void } {
  const entries = list.map((instance) => ({
    instance,
    done: () => {
      instance.inFlight -= 1
    },
  }))
  let next = 0
  return () => {
    const entry = entries[next]
    next = next + 1 === entries.length ? 0 : next + 1
    if (entry === undefined) throw new Error('there is no server')
    entry.instance.inFlight += 1
    return { instance: entry.instance, done: entry.done }
  }
}

const TAU_MS = 10_000

class TimedHandle {
  readonly instance: Server
  readonly #startedAt: number

  constructor(instance: Server, startedAt: number) {
    this.instance = instance
    this.#startedAt = startedAt
  }

  done(): void {
    const server = this.instance
    server.inFlight -= 1
    const now = performance.now()
    const latency = now - this.#startedAt
    const weight = Math.exp((server.at - now) / TAU_MS)
    server.costMs = latency > server.costMs ? latency : server.costMs * weight + latency * (1 - weight)
    server.at = now
  }
}

/** Of two different ones at random, the one whose peak-sensitive average of latency, times its calls in flight, is lower. */
export function peakEwma(list: readonly Server[]): () => TimedHandle {
  let state = 123_456_789
  const below = (count: number): number => {
    state ^= state << 13
    state ^= state >>> 17
    state ^= state << 5
    return (state >>> 1) % count
  }
  const cost = (server: Server, now: number): number =>
    server.costMs * Math.exp((server.at - now) / TAU_MS) * (server.inFlight + 1)
  return () => {
    const first = below(list.length)
    const other = below(list.length - 1)
    const [a, b] = [list[first], list[other < first ? other : other + 1]]
    if (a === undefined || b === undefined) throw new Error('there is no server')
    const now = performance.now()
    const server = cost(b, now) < cost(a, now) ? b : a
    server.inFlight += 1
    return new TimedHandle(server, now)
  }
}
