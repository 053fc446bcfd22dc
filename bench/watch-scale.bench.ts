import { setMaxListeners } from 'node:events'
import { readFileSync } from 'node:fs'
import { Agent, get, request } from 'node:http'
import Consul from 'consul'
import { discoveryClient } from '../test/integration/discovery-client.js'
import { startConsul, type ConsulAgent } from '../test/support/consul-agent.js'

/**
 * A thousand services watched by one process, through an agent with its default limits: when each has its first snapshot, how late
 * changes to services chosen at random are seen, how late a heartbeat of the same process is, and how many connections it takes.
 * Beside it the npm `consul` client, and one connection per service over `node:http`. BENCH_SECONDS sets the length (default 60).
 */

const SERVICES = 1_000
const SECONDS = Number(process.env['BENCH_SECONDS'] ?? 60)
const CHANGES_PER_SECOND = 10
const BEAT_EVERY_MS = 1_000
const LATE_BEAT_MS = 1_000

interface Contender {
  readonly name: string
  /** Begins to watch; `onState` hears of every state of a service, `onError` of every failure. */
  start(consul: ConsulAgent, onState: (service: string, isPassing: boolean) => void, onError: () => void): Watching
}

interface Watching {
  /** Sends one heartbeat, over the same client. */
  beat(checkId: string): Promise<void>
  close(): Promise<void>
}

export default async function watchScale(): Promise<void> {
  for (const contender of [proconsul, npm, bare]) {
    await using consul = await startConsul()
    await measure(contender, consul)
  }
}

async function measure(contender: Contender, consul: ConsulAgent): Promise<void> {
  const names = Array.from({ length: SERVICES }, (_, index) => `s${index}`)
  for (const name of [...names, 'beating']) await register(consul, name)
  const seen = new Map<string, boolean>()
  const sent = new Map<string, { readonly at: number; readonly isPassing: boolean }>()
  const latencies: number[] = []
  const startedAt = performance.now()
  let errors = 0
  let allAt: number | undefined
  const onState = (service: string, isPassing: boolean): void => {
    seen.set(service, isPassing)
    if (seen.size === SERVICES) allAt ??= performance.now() - startedAt
    const change = sent.get(service)
    if (change?.isPassing !== isPassing) return
    sent.delete(service)
    latencies.push(performance.now() - change.at)
  }
  const cpuBefore = process.cpuUsage()
  const watching = contender.start(consul, onState, () => (errors += 1))
  await until(() => seen.size === SERVICES, 5_000)
  const first = seen.size
  const beats = { late: 0, failed: 0, worst: 0 }
  let connections = 0
  const endAt = performance.now() + SECONDS * 1_000
  const beating = setInterval(() => {
    const at = performance.now()
    connections = Math.max(connections, openConnections(consul.port))
    void watching
      .beat('service:beating')
      .catch(() => (beats.failed += 1))
      .finally(() => {
        const tookMs = performance.now() - at
        beats.worst = Math.max(beats.worst, tookMs)
        if (tookMs > LATE_BEAT_MS) beats.late += 1
      })
  }, BEAT_EVERY_MS)
  let changes = 0
  while (performance.now() < endAt) {
    await new Promise((resolve) => setTimeout(resolve, 1_000 / CHANGES_PER_SECOND))
    const name = names[Math.floor(Math.random() * SERVICES)] ?? ''
    if (sent.has(name) || !seen.has(name)) continue
    const isPassing = seen.get(name) === false
    sent.set(name, { at: performance.now(), isPassing })
    changes += 1
    await put(consul, `/v1/agent/check/${isPassing ? 'pass' : 'fail'}/service:${name}`)
  }
  await until(() => sent.size === 0, 5_000)
  clearInterval(beating)
  const cpu = process.cpuUsage(cpuBefore)
  await watching.close()
  const sorted = latencies.toSorted((a, b) => a - b)
  const at = (share: number): string => (sorted[Math.floor((sorted.length - 1) * share)] ?? NaN).toFixed(0)
  console.log(`${contender.name}, ${SECONDS} s`)
  console.log(
    `  first snapshots  ${first} of ${SERVICES} within 5 s${allAt === undefined ? '' : `, all after ${allAt.toFixed(0)} ms`}`,
  )
  console.log(
    `  changes          ${changes}, seen after ${at(0.5)} ms (median), ${at(0.99)} ms (99th percentile), ${at(1)} ms (worst); never seen ${sent.size}`,
  )
  console.log(`  errors           ${errors}`)
  console.log(
    `  heartbeats       worst ${beats.worst.toFixed(0)} ms, ${beats.late} later than ${LATE_BEAT_MS} ms, ${beats.failed} failed`,
  )
  console.log(`  connections      ${connections} at most`)
  console.log(
    `  processor time   ${(((cpu.user + cpu.system) / 1_000 / (SECONDS * 1_000)) * 100).toFixed(0)} % of one core`,
  )
}

const proconsul: Contender = {
  name: 'proconsul',
  start(consul, onState, onError) {
    const client = discoveryClient({ address: consul.url })
    for (let index = 0; index < SERVICES; index++) {
      const watcher = client.discovery.watchService(`s${index}`)
      watcher.on('change', ({ snapshot }) => onState(watcher.name, snapshot.instances.length > 0))
      watcher.on('error', onError)
    }
    return {
      beat: async (checkId) => {
        await client.http.request({
          operation: 'beat',
          method: 'PUT',
          path: `/agent/check/pass/${checkId}`,
          idempotent: true,
        })
      },
      close: () => client.close(),
    }
  },
}

const npm: Contender = {
  name: 'npm consul',
  start(consul, onState, onError) {
    const client = new Consul({ host: consul.host, port: consul.port })
    const watches = Array.from({ length: SERVICES }, (_, index) => {
      const options = { service: `s${index}`, passing: true } as never
      const watch = client.watch({ method: client.health.service.bind(client.health), options })
      watch.on('change', (entries: unknown[]) => onState(`s${index}`, entries.length > 0))
      watch.on('error', onError)
      return watch
    })
    return {
      beat: async (checkId) => {
        await client.agent.check.pass({ id: checkId, timeout: 5_000 } as never)
      },
      close: () => {
        for (const watch of watches) watch.end()
        client.destroy()
        return Promise.resolve()
      },
    }
  },
}

const bare: Contender = {
  name: 'one connection per service',
  start(consul, onState, onError) {
    const agent = new Agent({ keepAlive: true })
    const closing = new AbortController()
    setMaxListeners(Infinity, closing.signal)
    const loop = async (name: string): Promise<void> => {
      let index = '0'
      while (!closing.signal.aborted) {
        try {
          const answer = await read(
            `${consul.url}/v1/health/service/${name}?passing&index=${index}&wait=60s`,
            agent,
            closing.signal,
          )
          index = answer.index
          onState(name, answer.entries > 0)
        } catch {
          onError()
          index = '0'
          await new Promise((resolve) => setTimeout(resolve, 1_000))
        }
      }
    }
    for (let index = 0; index < SERVICES; index++) void loop(`s${index}`)
    return {
      beat: async (checkId) => await put(consul, `/v1/agent/check/pass/${checkId}`, undefined, agent),
      close: () => {
        closing.abort()
        agent.destroy()
        return Promise.resolve()
      },
    }
  },
}

async function read(
  url: string,
  agent: Agent,
  signal: AbortSignal,
): Promise<{ readonly index: string; readonly entries: number }> {
  return await new Promise((resolve, reject) => {
    get(url, { agent, signal }, (response) => {
      const chunks: Buffer[] = []
      response.on('data', (chunk: Buffer) => chunks.push(chunk))
      response.once('error', reject)
      response.once('end', () => {
        if (response.statusCode !== 200) {
          reject(new Error(String(response.statusCode)))
          return
        }
        const entries = JSON.parse(Buffer.concat(chunks).toString('utf8')) as unknown[]
        resolve({ index: String(response.headers['x-consul-index']), entries: entries.length })
      })
    }).once('error', reject)
  })
}

async function register(consul: ConsulAgent, name: string): Promise<void> {
  await put(consul, '/v1/agent/service/register', { Name: name, Port: 80, Check: { TTL: '3600s', Status: 'passing' } })
}

/** From another address than the contender's, for the agent counts connections by address. */
const outside = new Agent({ keepAlive: true, maxSockets: 1, localAddress: '127.0.0.2' })

async function put(consul: ConsulAgent, path: string, body?: object, agent = outside): Promise<void> {
  await new Promise<void>((resolve, reject) => {
    const sent = request(consul.url + path, { method: 'PUT', agent, timeout: 5_000 }, (response) => {
      response.resume().once('end', resolve).once('error', reject)
    })
    sent.once('timeout', () => sent.destroy(new Error('timeout')))
    sent.once('error', reject).end(body && JSON.stringify(body))
  })
}

/** Established connections from this address to a port on it: those of the contender, without the writer's. */
function openConnections(port: number): number {
  const here = '0100007F:'
  const remote = here + port.toString(16).toUpperCase().padStart(4, '0')
  const rows = readFileSync('/proc/net/tcp', 'utf8').split('\n')
  return rows.filter((row) => {
    const [, from, to, state] = row.trim().split(/\s+/)
    return from?.startsWith(here) === true && to === remote && state === '01'
  }).length
}

async function until(isSo: () => boolean, withinMs: number): Promise<void> {
  for (const end = performance.now() + withinMs; !isSo() && performance.now() < end;) {
    await new Promise((resolve) => setTimeout(resolve, 20))
  }
}
