import { Agent, get, request } from 'node:http'
import Consul from 'consul'
import { Proconsul } from 'proconsul'
import type { ConsulAgent } from '../test/support/consul-agent.js'

/**
 * From a change to the event that tells of it: ours, the npm `consul` client's watch, and a bare blocking query over `node:http`. Each
 * watches a service of its own on the same agent; they take turns, and each has been quiet for a while when its turn comes.
 */

const ROUNDS = 300
const WARM_UP = 30
const PAUSE_MS = 100

interface Contender {
  readonly name: string
  /** Resolves at the next event. */
  next(): Promise<void>
  close(): Promise<void>
}

export default async function watchLatency({ consul }: { readonly consul: ConsulAgent }): Promise<void> {
  const contenders = [await bare(consul), await npm(consul), await ours(consul)]
  const times = contenders.map((): number[] => [])
  for (let round = 0; round < ROUNDS + WARM_UP; round++) {
    for (const [index, contender] of contenders.entries()) {
      await new Promise((resolve) => setTimeout(resolve, PAUSE_MS))
      const event = contender.next()
      const at = performance.now()
      await Promise.all([
        flip(consul, contender.name, round),
        event.then(() => times[index]?.push(performance.now() - at)),
      ])
    }
  }
  await Promise.all(contenders.map(async (contender) => await contender.close()))
  const [base, ...others] = times.map((measured) => summary(measured.slice(WARM_UP)))
  if (base === undefined) return
  console.log(`bare node:http   median ${base.median.toFixed(2)} ms, 99th percentile ${base.late.toFixed(2)} ms`)
  for (const [index, { median, late }] of others.entries()) {
    const ratios = `${(median / base.median).toFixed(2)} and ${(late / base.late).toFixed(2)} times bare`
    const name = (contenders[index + 1]?.name ?? '').padEnd(16)
    console.log(`${name} median ${median.toFixed(2)} ms, 99th percentile ${late.toFixed(2)} ms: ${ratios}`)
  }
}

/** Passing and warning in turn: both move the index, and the instance stays in the list. */
async function flip(consul: ConsulAgent, name: string, round: number): Promise<void> {
  await put(consul, `/v1/agent/check/${round % 2 === 0 ? 'warn' : 'pass'}/service:${name}`)
}

async function register(consul: ConsulAgent, name: string): Promise<void> {
  await put(consul, '/v1/agent/service/register', { Name: name, Port: 80, Check: { TTL: '600s', Status: 'passing' } })
}

const writer = new Agent({ keepAlive: true, maxSockets: 1 })

async function put(consul: ConsulAgent, path: string, body?: object): Promise<void> {
  await new Promise<void>((resolve, reject) => {
    const sent = request(consul.url + path, { method: 'PUT', agent: writer }, (response) =>
      response.resume().once('end', resolve),
    )
    sent.once('error', reject).end(body && JSON.stringify(body))
  })
}

async function ours(consul: ConsulAgent): Promise<Contender> {
  const name = 'proconsul'
  await register(consul, name)
  const client = new Proconsul({ address: consul.url })
  const watcher = client.watchService(name, { health: 'any' })
  await watcher.ready()
  return {
    name,
    next: () => new Promise((resolve) => watcher.once('change', () => resolve())),
    close: async () => {
      await client.close()
    },
  }
}

async function npm(consul: ConsulAgent): Promise<Contender> {
  const name = 'consul'
  await register(consul, name)
  const client = new Consul({ host: consul.host, port: consul.port })
  const method = client.health.service.bind(client.health)
  const watch = client.watch({ method, options: { service: name } })
  await new Promise<void>((resolve) => watch.once('change', () => resolve()))
  return {
    name: 'consul',
    next: () => new Promise((resolve) => watch.once('change', () => resolve())),
    close: () => {
      watch.end()
      return Promise.resolve()
    },
  }
}

async function bare(consul: ConsulAgent): Promise<Contender> {
  const name = 'bare'
  await register(consul, name)
  const agent = new Agent({ keepAlive: true, maxSockets: 1 })
  const closing = new AbortController()
  let onEvent: () => void = () => undefined
  const read = async (index: string): Promise<string> =>
    await new Promise((resolve, reject) => {
      const url = `${consul.url}/v1/health/service/${name}?index=${index}&wait=30s`
      get(url, { agent, signal: closing.signal }, (response) => {
        const chunks: Buffer[] = []
        response.on('data', (chunk: Buffer) => chunks.push(chunk))
        response.once('end', () => {
          JSON.parse(Buffer.concat(chunks).toString('utf8'))
          resolve(String(response.headers['x-consul-index']))
        })
      }).once('error', reject)
    })
  const loop = async (): Promise<void> => {
    for (let index = await read('0'); !closing.signal.aborted;) {
      const next = await read(index)
      if (next !== index) onEvent()
      index = next
    }
  }
  const running = loop().catch(() => undefined)
  return {
    name,
    next: () => new Promise((resolve) => (onEvent = resolve)),
    close: async () => {
      closing.abort()
      await running
      agent.destroy()
    },
  }
}

function summary(times: readonly number[]): { readonly median: number; readonly late: number } {
  const sorted = times.toSorted((a, b) => a - b)
  const at = (share: number): number => sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? NaN
  return { median: at(0.5), late: at(0.99) }
}
