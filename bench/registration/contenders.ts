import Consul from 'consul'
import { Proconsul } from '../../src/proconsul.js'
import type { ConsulAgent } from '../../test/support/consul-agent.js'

/** The time to live that both keep. */
export const TTL_MS = 10_000

/** A service that is kept registered somehow. */
export interface Contender {
  readonly name: string
  /** What is registered. */
  readonly service: string
  /** Resolves when the service is registered. */
  start(target: Target): Promise<void>
  stop(): Promise<void>
}

/** Where to register. */
export interface Target {
  readonly host: string
  readonly port: number
  /** The token that holds at the time of the call. */
  readonly token?: () => string
}

/** Services that watch over themselves. */
export function proconsul(): Contender {
  let client: Proconsul | undefined
  return {
    name: 'proconsul',
    service: 'ours',
    async start({ host, port, token }) {
      client = new Proconsul({ address: `http://${host}:${port}`, ...(token && { token }) })
      await client.registerService({ name: 'ours', id: 'ours', check: { ttl: TTL_MS } })
    },
    async stop() {
      await client?.close({ timeout: '1s' })
    },
  }
}

/** What is usually written with the npm client: register once, then pass on a timer. */
export function npmClient(): Contender {
  let timer: NodeJS.Timeout | undefined
  return {
    name: 'npm consul',
    service: 'theirs',
    async start({ host, port, token }) {
      const client = new Consul({ host, port, ...(token && { defaults: { token: token() } }) })
      await client.agent.service.register({
        name: 'theirs',
        id: 'theirs',
        check: { ttl: `${TTL_MS / 1_000}s` } as never,
      })
      await client.agent.check.pass('service:theirs')
      timer = setInterval(() => {
        client.agent.check.pass('service:theirs').catch(() => undefined)
      }, TTL_MS / 3)
    },
    stop() {
      clearInterval(timer)
      return Promise.resolve()
    },
  }
}

interface WireEntry {
  readonly Checks: readonly { readonly CheckID: string; readonly Status: string }[]
}

const LOOK_MS = 25

/** Looks at the catalog again and again. What is not answered, because the agent is down, begins no gap and ends none. */
export class Observer {
  readonly #agent: ConsulAgent
  readonly #service: string
  #since: number | undefined
  #longestMs = 0
  #stopped = false
  readonly #running: Promise<void>

  constructor(agent: ConsulAgent, service: string) {
    this.#agent = agent
    this.#service = service
    this.#running = this.#run()
  }

  async stop(): Promise<number> {
    this.#stopped = true
    await this.#running
    return this.#since === undefined ? this.#longestMs : Infinity
  }

  async #run(): Promise<void> {
    while (!this.#stopped) {
      const isPassing = await this.#look().catch(() => undefined)
      const now = performance.now()
      if (isPassing === false) this.#since ??= now
      if (isPassing === true && this.#since !== undefined) {
        this.#longestMs = Math.max(this.#longestMs, now - this.#since)
        this.#since = undefined
      }
      await new Promise((resolve) => setTimeout(resolve, LOOK_MS))
    }
  }

  async #look(): Promise<boolean> {
    const path = `/v1/health/service/${this.#service}?passing`
    const entries = await this.#agent.read<WireEntry[]>(path, { within: 1_000 })
    return entries.some(({ Checks }) => Checks.some(({ CheckID }) => CheckID === `service:${this.#service}`))
  }
}
