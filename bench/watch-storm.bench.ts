import Consul from 'consul'
import { discoveryClient } from '../test/integration/discovery-client.js'
import type { ConsulAgent } from '../test/support/consul-agent.js'
import { FaultProxy } from '../test/support/fault-proxy.js'

/**
 * A storm: 500 instances of one service flip at random, then stop. How often the service is read and how many bytes come, and how long
 * after the last change the list is exact, beside the npm `consul` client. BENCH_SECONDS sets the length (default 30).
 */

const INSTANCES = 500
const SECONDS = Number(process.env['BENCH_SECONDS'] ?? 30)
const FLIPS_PER_SECOND = 100

export default async function watchStorm({ consul }: { readonly consul: ConsulAgent }): Promise<void> {
  for (let index = 0; index < INSTANCES; index++) {
    const body = { Name: 'storm', ID: `storm-${index}`, Port: 80, Check: { TTL: '3600s', Status: 'passing' } }
    await consul.request('PUT', '/v1/agent/service/register', { body })
  }
  const watchers = [await ours(consul), await npm(consul)]
  const before = watchers.map(({ proxy }) => counted(proxy))
  const flips = await storm(consul)
  const lastAt = performance.now()
  const expected = await truth(consul)
  const exactAfter = await Promise.all(watchers.map(async ({ ids }) => await exactAfterMs(ids, expected, lastAt)))
  console.log(`storm            ${flips} flips of ${INSTANCES} instances in ${SECONDS} s`)
  for (const [index, { name, proxy, close }] of watchers.entries()) {
    const now = counted(proxy)
    const reads = (now.reads - (before[index]?.reads ?? 0)) / SECONDS
    const megabytes = (now.bytes - (before[index]?.bytes ?? 0)) / 1e6
    const exact = exactAfter[index]?.toFixed(0) ?? '?'
    console.log(
      `${name.padEnd(16)} ${reads.toFixed(1)} reads a second, ${megabytes.toFixed(1)} MB in all, exact ${exact} ms after the last change`,
    )
    await close()
  }
}

interface Watcher {
  readonly name: string
  readonly proxy: FaultProxy
  readonly ids: () => readonly string[]
  readonly close: () => Promise<void>
}

async function ours(consul: ConsulAgent): Promise<Watcher> {
  const proxy = await FaultProxy.start(consul)
  const client = discoveryClient({ address: proxy.url })
  const watcher = client.discovery.watchService('storm', { lossGuard: false })
  await watcher.ready()
  return {
    name: 'proconsul',
    proxy,
    ids: () => watcher.instances.map(({ id }) => id),
    close: async () => {
      await client.close()
      await proxy.close()
    },
  }
}

async function npm(consul: ConsulAgent): Promise<Watcher> {
  const proxy = await FaultProxy.start(consul)
  const client = new Consul({ host: '127.0.0.1', port: proxy.port })
  let entries: readonly { readonly Service: { readonly ID: string } }[] = []
  const method = client.health.service.bind(client.health)
  const watch = client.watch({ method, options: { service: 'storm', passing: 'true' } })
  watch.on('change', (next: typeof entries) => (entries = next))
  await new Promise((resolve) => watch.once('change', resolve))
  return {
    name: 'npm consul',
    proxy,
    ids: () => entries.map(({ Service }) => Service.ID),
    close: async () => {
      watch.end()
      client.destroy()
      await proxy.close()
    },
  }
}

async function storm(consul: ConsulAgent): Promise<number> {
  const endAt = performance.now() + SECONDS * 1_000
  let flips = 0
  while (performance.now() < endAt) {
    const id = Math.floor(Math.random() * INSTANCES)
    const call = Math.random() < 0.3 ? 'fail' : 'pass'
    await consul.request('PUT', `/v1/agent/check/${call}/service:storm-${id}`)
    flips += 1
    await new Promise((resolve) => setTimeout(resolve, 1_000 / FLIPS_PER_SECOND))
  }
  return flips
}

async function truth(consul: ConsulAgent): Promise<string> {
  const entries = await consul.read<{ readonly Service: { readonly ID: string } }[]>('/v1/health/service/storm?passing')
  return sorted(entries.map(({ Service }) => Service.ID))
}

async function exactAfterMs(ids: () => readonly string[], expected: string, from: number): Promise<number> {
  for (const giveUpAt = performance.now() + 10_000; performance.now() < giveUpAt;) {
    if (sorted(ids()) === expected) return performance.now() - from
    await new Promise((resolve) => setTimeout(resolve, 2))
  }
  return NaN
}

function sorted(ids: readonly string[]): string {
  return ids.toSorted().join()
}

function counted(proxy: FaultProxy): { readonly reads: number; readonly bytes: number } {
  const { requests, bytesToClient } = proxy.counters
  return { reads: requests.length, bytes: bytesToClient }
}
