import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import Consul from 'consul'
import { diffLists, reconcileList } from '../src/core/keyed-list.js'
import { INSTANCE, type ServiceInstance } from '../src/instances/service-instance.js'
import { discoveryClient } from '../test/integration/discovery-client.js'
import type { ConsulAgent } from '../test/support/consul-agent.js'
import { FaultProxy } from '../test/support/fault-proxy.js'

/**
 * One service with 5,000 instances, of which one flips at a time: bytes for each update, the longest stall of the event loop beside a
 * bare JSON.parse of the same body, heap for each kept instance, all beside the npm `consul` client; and the time of a diff from 100
 * to 10,000 instances.
 */

const INSTANCES = 5_000
const UPDATES = 15

export default async function watchLarge({ consul }: { readonly consul: ConsulAgent }): Promise<void> {
  await registerAll(consul)
  const body = (await consul.request('GET', '/v1/health/service/large')).text
  console.log(`body             ${(body.length / 1e6).toFixed(1)} MB`)
  const mine = await measureOurs(consul, body)
  const theirs = await measureNpm(consul, body)
  const per = (bytes: number): string => `${(bytes / 1e6).toFixed(2)} MB`
  console.log(
    `bytes            ${per(mine.bytes)} an update, npm ${per(theirs.bytes)}: 1/${(theirs.bytes / mine.bytes).toFixed(0)}`,
  )
  console.log(
    `longest stall    ${stall(mine)}; npm ${stall(theirs)} (medians of ${UPDATES} updates, each beside a JSON.parse)`,
  )
  console.log(
    `heap             ${mine.heapBytes.toFixed(0)} bytes an instance, npm ${theirs.heapBytes.toFixed(0)}: ` +
      `${(mine.heapBytes / theirs.heapBytes).toFixed(2)} times`,
  )
  diffTimes()
}

function stall({ stallMs, parseMs }: Measured): string {
  return `${stallMs.toFixed(0)} ms, bare JSON.parse ${parseMs.toFixed(0)} ms: ${(stallMs / parseMs).toFixed(2)} times`
}

interface Measured {
  readonly bytes: number
  readonly stallMs: number
  readonly parseMs: number
  readonly heapBytes: number
}

async function measureOurs(consul: ConsulAgent, body: string): Promise<Measured> {
  await using proxy = await FaultProxy.start(consul)
  await using client = discoveryClient({ address: proxy.url })
  const before = heapBytes()
  const watcher = client.discovery.watchService('large', { health: 'any', lossGuard: false })
  await watcher.ready()
  const update = async (round: number): Promise<void> => {
    const changed = new Promise((resolve) => watcher.once('change', resolve))
    await flip(consul, round)
    await changed
  }
  const facts = await measureUpdates(proxy, body, update)
  const heap = (heapBytes() - before) / watcher.instances.length
  return { ...facts, heapBytes: heap }
}

async function measureNpm(consul: ConsulAgent, body: string): Promise<Measured> {
  await using proxy = await FaultProxy.start(consul)
  const client = new Consul({ host: '127.0.0.1', port: proxy.port })
  const before = heapBytes()
  let kept: unknown[] = []
  const method = client.health.service.bind(client.health)
  const watch = client.watch({ method, options: { service: 'large' } })
  watch.on('change', (entries: unknown[]) => (kept = entries))
  await new Promise((resolve) => watch.once('change', resolve))
  const update = async (round: number): Promise<void> => {
    const changed = new Promise((resolve) => watch.once('change', resolve))
    await flip(consul, round)
    await changed
  }
  const facts = await measureUpdates(proxy, body, update)
  const heap = (heapBytes() - before) / kept.length
  watch.end()
  client.destroy()
  return { ...facts, heapBytes: heap }
}

async function measureUpdates(
  proxy: FaultProxy,
  body: string,
  update: (round: number) => Promise<void>,
): Promise<Omit<Measured, 'heapBytes'>> {
  const bytes = Buffer.from(body)
  const stalls: number[] = []
  const parses: number[] = []
  for (let round = 0; round < 3; round++) await update(round)
  const before = proxy.counters.bytesToClient
  for (let round = 0; round < UPDATES; round++) {
    const watch = watchStalls()
    await update(round + 1)
    // What the loop does right after the event counts too.
    await new Promise((resolve) => setTimeout(resolve, 50))
    stalls.push(watch())
    const at = performance.now()
    JSON.parse(bytes.toString('utf8'))
    parses.push(performance.now() - at)
  }
  const received = (proxy.counters.bytesToClient - before) / UPDATES
  return { bytes: received, stallMs: median(stalls), parseMs: median(parses) }
}

/** Returns a function that stops watching and tells the longest time for which the event loop did not come round. */
function watchStalls(): () => number {
  let longest = 0
  let last = performance.now()
  let handle: NodeJS.Immediate
  const look = (): void => {
    const now = performance.now()
    longest = Math.max(longest, now - last)
    last = now
    handle = setImmediate(look)
  }
  handle = setImmediate(look)
  return () => {
    clearImmediate(handle)
    return longest
  }
}

function heapBytes(): number {
  setFlagsFromString('--expose-gc')
  const collect = runInNewContext('gc') as () => void
  collect()
  collect()
  return process.memoryUsage().heapUsed
}

function diffTimes(): void {
  const make = (index: number): ServiceInstance => ({
    id: `i${index}`,
    name: 'large',
    address: '10.0.0.1',
    port: index,
    ports: {},
    taggedAddresses: {},
    tags: ['v1', 'eu'],
    meta: { version: '1.2.3', zone: 'a' },
    weights: { passing: 1, warning: 1 },
    weight: 1,
    node: `n${index % 100}`,
    datacenter: 'dc1',
    status: 'passing',
  })
  const times = [100, 1_000, 10_000].map((count) => {
    const before = Array.from({ length: count }, (_, index) => make(index))
    const runs = Array.from({ length: 30 }, () => {
      const next = before.map((_, index) => (index === 7 ? { ...make(index), port: 9 } : make(index)))
      const at = performance.now()
      const merged = reconcileList(before, next, INSTANCE)
      diffLists(before, merged, INSTANCE)
      return performance.now() - at
    })
    return `${count}: ${median(runs).toFixed(2)} ms, ${((median(runs) / count) * 1_000).toFixed(2)} µs each`
  })
  console.log(`diff             ${times.join('; ')}`)
}

async function registerAll(consul: ConsulAgent): Promise<void> {
  let next = 0
  const worker = async (): Promise<void> => {
    while (next < INSTANCES) await put(consul, next++, 'passing')
  }
  await Promise.all(Array.from({ length: 8 }, worker))
}

async function flip(consul: ConsulAgent, round: number): Promise<void> {
  await put(consul, 17, round % 2 === 0 ? 'warning' : 'passing')
}

/** Into the catalog directly, as a hundred nodes with fifty instances each. */
async function put(consul: ConsulAgent, index: number, status: string): Promise<void> {
  const id = `large-${index}`
  const node = `node-${index % 100}`
  const body = {
    Node: node,
    Address: `10.0.0.${index % 100}`,
    NodeMeta: { rack: 'r1', zone: 'eu-west-1a' },
    Service: {
      ID: id,
      Service: 'large',
      Port: 8_000 + index,
      Tags: ['v1', 'eu', 'http'],
      Meta: { version: '1.2.3', zone: 'eu-west-1a', commit: 'a94a8fe5ccb19ba61c4c0873d391e987982fbbd3' },
    },
    Check: {
      CheckID: `service:${id}`,
      Name: 'Service check',
      ServiceID: id,
      Status: status,
      Output: 'HTTP GET: 200 OK',
    },
  }
  const answer = await consul.request('PUT', '/v1/catalog/register', { body })
  if (answer.status !== 200) throw new Error(answer.text)
}

function median(values: readonly number[]): number {
  return values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)] ?? NaN
}
