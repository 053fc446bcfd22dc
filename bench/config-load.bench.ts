import { Agent, get } from 'node:http'
import { Proconsul } from 'proconsul'
import type { ConsulAgent } from '../test/support/consul-agent.js'

/**
 * 5,000 keys in five layers: the time to open a configuration of them beside a bare recursive read plus `JSON.parse`, and the time from
 * the write of one key to the change beside a bare blocking read of the same tree plus `JSON.parse`.
 */

const LAYERS = [1, 2, 3, 4, 5].map((number) => `big/layer-${number}`)
const KEYS_PER_LAYER = 1_000
const RUNS = 15
const CHANGES = 15

export default async function configLoad({ consul }: { readonly consul: ConsulAgent }): Promise<void> {
  const address = consul.url
  // Both sides have their connection already.
  await using client = new Proconsul({ address })
  for (const layer of LAYERS) {
    const keys = Array.from({ length: KEYS_PER_LAYER }, (_, index) => {
      const section = `${layer.slice(-1)}-${Math.floor(index / 20)}`
      return [`section-${section}/group/key-${index}`, `value of the key number ${index} of ${layer}`] as const
    })
    await client.kv.import(layer, Object.fromEntries(keys))
  }
  const loads = { bare: [] as number[], ours: [] as number[] }
  for (let run = 0; run < RUNS; run += 1) {
    loads.bare.push(await timed(() => bareRead(consul, '')))
    const at = performance.now()
    const settings = await client.config({ layers: LAYERS })
    loads.ours.push(performance.now() - at)
    await settings.close()
    // A query that nobody follows goes on for half a second: after it each configuration is read anew.
    await new Promise((resolve) => setTimeout(resolve, 600))
  }
  report('load of 5,000 keys', loads)

  const changes = { bare: [] as number[], ours: [] as number[] }
  const settings = await client.config({ layers: LAYERS, debounce: 0 })
  let sectionsKept = Infinity
  for (let round = 0; round < CHANGES; round += 1) {
    const index = (await bareRead(consul, '')).index
    const bare = bareRead(consul, `&index=${index}&wait=60s`)
    const change = new Promise<void>((resolve) => {
      settings.once('change', ({ value, previous }) => {
        const kept = Object.keys(value).filter((name) => value[name] === previous[name]).length
        sectionsKept = Math.min(sectionsKept, kept)
        resolve()
      })
    })
    // One after the other, not side by side: parsing is work, and there is one thread for both.
    const at = performance.now()
    await client.kv.set(`${LAYERS[2] ?? ''}/section-3-7/group/key-140`, `changed ${round}`)
    await Promise.all([
      bare.then(() => changes.bare.push(performance.now() - at)),
      change.then(() => changes.ours.push(performance.now() - at)),
    ])
    await new Promise((resolve) => setTimeout(resolve, 600))
  }
  report('change of one key', changes)
  const sections = Object.keys(settings.value).length
  console.log(`of ${sections} sections at least ${sectionsKept} were the same objects after the change of one key`)
}

function report(name: string, { bare, ours }: { readonly bare: number[]; readonly ours: number[] }): void {
  const ratio = (median(ours) / median(bare)).toFixed(2)
  console.log(`${name}: median ${median(ours).toFixed(1)} ms, bare ${median(bare).toFixed(1)} ms: ${ratio} times bare`)
}

async function timed(work: () => Promise<unknown>): Promise<number> {
  const at = performance.now()
  await work()
  return performance.now() - at
}

const agent = new Agent({ keepAlive: true })

function bareRead(consul: ConsulAgent, query: string): Promise<{ readonly index: string }> {
  return new Promise((resolve, reject) => {
    get(`${consul.url}/v1/kv/big/?recurse${query}`, { agent }, (response) => {
      const chunks: Buffer[] = []
      response.on('data', (chunk: Buffer) => chunks.push(chunk))
      response.on('end', () => {
        JSON.parse(Buffer.concat(chunks).toString('utf8'))
        resolve({ index: String(response.headers['x-consul-index']) })
      })
    }).once('error', reject)
  })
}

function median(values: readonly number[]): number {
  return values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)] ?? NaN
}
