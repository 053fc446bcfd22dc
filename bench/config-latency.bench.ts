import { Agent, get, request } from 'node:http'
import { configClient } from '../test/support/config-client.js'
import type { ConsulAgent } from '../test/support/consul-agent.js'

/**
 * From the write of a key to the `change` event of a configuration with five layers (debounce 0), for a key of the first and of the
 * last layer, beside a bare blocking read of as many such layers over `node:http`. Once with the layers alone in their folder, once with
 * another application in it, which takes a second trip. They take turns, and each has been quiet for a while when its turn comes.
 */

const ROUNDS = 100
const WARM_UP = 10
const PAUSE_MS = 150
const LAYERS = [1, 2, 3, 4, 5].map((number) => `layer-${number}`)
const KEYS_PER_LAYER = 10

interface Contender {
  readonly name: string
  readonly key: string
  /** Resolves when the change is known. */
  next(): Promise<void>
}

export default async function configLatency({ consul }: { readonly consul: ConsulAgent }): Promise<void> {
  await using client = configClient({ address: consul.url })
  for (const root of ['bare', 'alone', 'crowded']) {
    for (const layer of LAYERS) {
      for (let index = 0; index < KEYS_PER_LAYER; index += 1)
        await put(consul, `${root}/${layer}/key-${index}`, 'first')
    }
  }
  await put(consul, 'crowded/another/key', 'x')
  const watch = new BareWatch(consul, 'bare/')
  const contenders: Contender[] = [
    { name: 'bare node:http', key: `bare/${LAYERS[0] ?? ''}/key-0`, next: () => watch.next() },
  ]
  const places: (readonly Contender[])[] = []
  for (const root of ['alone', 'crowded']) {
    const layers = LAYERS.map((layer) => `${root}/${layer}`)
    const settings = await client.config.open({ layers, debounce: 0 })
    const next = (): Promise<void> => new Promise((resolve) => settings.once('change', () => resolve()))
    // Each layer has a value of its own under this name; the later layers must not hide it.
    places.push(
      [['first', 0] as const, ['last', LAYERS.length - 1] as const].map(([place, index]) => ({
        name: `${root}, ${place} layer`,
        key: `${layers[index] ?? ''}/only-${place}`,
        next,
      })),
    )
  }
  // Turn by turn, so that each configuration is quiet before its next change.
  for (const turn of [0, 1]) contenders.push(...places.flatMap((configuration) => configuration.slice(turn, turn + 1)))
  const times = await measure(consul, contenders)
  watch.close()
  const base = median(times[0] ?? [])
  for (const [index, contender] of contenders.entries()) {
    const took = median(times[index] ?? [])
    console.log(`${contender.name.padEnd(20)} median ${took.toFixed(2)} ms: ${(took / base).toFixed(2)} times bare`)
  }
}

async function measure(consul: ConsulAgent, contenders: readonly Contender[]): Promise<number[][]> {
  const times = contenders.map((): number[] => [])
  for (let round = 0; round < ROUNDS + WARM_UP; round += 1) {
    for (const [index, contender] of contenders.entries()) {
      await new Promise((resolve) => setTimeout(resolve, PAUSE_MS))
      const known = contender.next()
      const at = performance.now()
      const told = known.then(() => performance.now() - at)
      await put(consul, contender.key, `value-${round}`)
      const tookMs = await told
      if (round >= WARM_UP) times[index]?.push(tookMs)
    }
  }
  return times
}

/** The least that can be done: one blocking query after the other, each parsed. */
class BareWatch {
  readonly #consul: ConsulAgent
  readonly #prefix: string
  readonly #agent = new Agent({ keepAlive: true, maxSockets: 1 })
  #tell: () => void = () => undefined

  constructor(consul: ConsulAgent, prefix: string) {
    this.#consul = consul
    this.#prefix = prefix
    this.#read('0')
  }

  next(): Promise<void> {
    return new Promise((resolve) => (this.#tell = resolve))
  }

  close(): void {
    this.#agent.destroy()
  }

  #read(index: string): void {
    const url = `${this.#consul.url}/v1/kv/${this.#prefix}?recurse&index=${index}&wait=60s`
    const sent = get(url, { agent: this.#agent }, (response) => {
      const chunks: Buffer[] = []
      response.on('data', (chunk: Buffer) => chunks.push(chunk))
      response.on('end', () => {
        JSON.parse(Buffer.concat(chunks).toString('utf8'))
        this.#tell()
        this.#read(String(response.headers['x-consul-index']))
      })
    })
    // The last one ends with the agent of the connection.
    sent.on('error', () => undefined)
  }
}

const writer = new Agent({ keepAlive: true, maxSockets: 1 })

async function put(consul: ConsulAgent, key: string, value: string): Promise<void> {
  await new Promise<void>((resolve, reject) => {
    const sent = request(`${consul.url}/v1/kv/${key}`, { method: 'PUT', agent: writer }, (response) =>
      response.resume().once('end', resolve),
    )
    sent.once('error', reject).end(value)
  })
}

function median(values: readonly number[]): number {
  return values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)] ?? NaN
}
