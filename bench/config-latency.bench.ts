import { Agent, get, request } from 'node:http'
import { Proconsul } from 'proconsul'
import type { ConsulAgent } from '../test/support/consul-agent.js'

/**
 * From the write of a key to the `change` event of a configuration with five layers (debounce 0), for a key of the first and of the
 * last layer, beside a bare blocking read over `node:http` of a folder that holds the same. Once with the layers alone in their folder,
 * once with other applications in it, and once with so many that the layers are read apart, which takes a second trip. They take turns,
 * and each has been quiet for a while when its turn comes.
 */

const ROUNDS = 100
const WARM_UP = 10
const PAUSE_MS = 150
const LAYERS = [1, 2, 3, 4, 5].map((number) => `layer-${number}`)
const KEYS_PER_LAYER = 10

/** How many keys of others are in the folder. */
const PLACES = { alone: 0, shared: 100, crowded: 1_000 } as const

interface Contender {
  readonly name: string
  readonly place: string
  readonly key: string
  /** Resolves when the change is known. */
  next(): Promise<void>
}

export default async function configLatency({ consul }: { readonly consul: ConsulAgent }): Promise<void> {
  await using client = new Proconsul({ address: consul.url })
  const places: { readonly watch: BareWatch; readonly contenders: readonly Contender[] }[] = []
  for (const [place, foreignKeys] of Object.entries(PLACES)) {
    for (const root of [place, `bare-${place}`]) await fill(consul, root, foreignKeys)
    const watch = new BareWatch(consul, `bare-${place}/`)
    const settings = await client.config({ layers: layersOf(place), debounce: 0 })
    const changed = (): Promise<void> => new Promise((resolve) => settings.once('change', () => resolve()))
    const [first = '', last = ''] = [layersOf(place)[0], layersOf(place).at(-1)]
    // Each layer has a value of its own under this name; the later layers must not hide it.
    places.push({
      watch,
      contenders: [
        { name: 'bare node:http', place, key: `bare-${place}/${LAYERS[0] ?? ''}/key-0`, next: () => watch.next() },
        { name: 'first layer', place, key: `${first}/only-first`, next: changed },
        { name: 'last layer', place, key: `${last}/only-last`, next: changed },
      ],
    })
  }
  // Turn by turn, so that each configuration is quiet before its next change.
  const contenders: Contender[] = [0, 1, 2].flatMap((turn) =>
    places.flatMap((place) => place.contenders.slice(turn, turn + 1)),
  )
  const times = await measure(consul, contenders)
  for (const { watch } of places) watch.close()
  const medianOf = (contender: Contender | undefined): number =>
    median(times[contender === undefined ? -1 : contenders.indexOf(contender)] ?? [])
  for (const { contenders: ofPlace } of places) {
    const base = medianOf(ofPlace[0])
    for (const contender of ofPlace) {
      const took = medianOf(contender)
      const name = `${contender.place}, ${contender.name}`.padEnd(24)
      console.log(`${name} median ${took.toFixed(2)} ms: ${(took / base).toFixed(2)} times bare`)
    }
  }
}

function layersOf(root: string): readonly string[] {
  return LAYERS.map((layer) => `${root}/${layer}`)
}

async function fill(consul: ConsulAgent, root: string, foreignKeys: number): Promise<void> {
  for (const layer of layersOf(root)) {
    for (let index = 0; index < KEYS_PER_LAYER; index += 1) await put(consul, `${layer}/key-${index}`, 'first')
  }
  for (let index = 0; index < foreignKeys; index += 1) {
    await put(consul, `${root}/other-${Math.floor(index / KEYS_PER_LAYER)}/key-${index}`, 'first')
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
