import { createServer, connect, type AddressInfo, type Server, type Socket } from 'node:net'
import { FaultyLane, type LaneCut } from './process/faulty-lane.js'

/** `toServer` carries the requests, `toClient` the answers. */
export type Direction = 'toServer' | 'toClient'
/** How a connection ends: by a reset, or in order as if the other side were done. */
export type CutKind = 'rst' | 'fin'

/** What went through the proxy since it started. */
export interface ProxyCounters {
  /** Connections accepted. */
  readonly connections: number
  /** Of these, still open. */
  readonly open: number
  readonly bytesToServer: number
  readonly bytesToClient: number
  /** HTTP requests seen, such as `GET /v1/status/leader`. Empty over TLS. */
  readonly requests: readonly string[]
}

/** Where the agent is: an agent of the launcher, or anything else that listens. */
export interface ProxyTarget {
  readonly host: string
  readonly port: number
}

interface Link {
  readonly client: Socket
  readonly server: Socket
  readonly lanes: Readonly<Record<Direction, FaultyLane>>
}

const REQUEST_LINE = /(?:^|\n)((?:GET|PUT|POST|DELETE|HEAD|OPTIONS) \/\S*) HTTP\/1\.[01]\r\n/g

/** A TCP proxy that is a network on a bad day, at the call of a method. What it is told holds for open and for later connections. */
export class FaultProxy implements AsyncDisposable {
  readonly #target: ProxyTarget
  readonly #links = new Set<Link>()
  readonly #paused = new Set<Direction>()
  readonly #delays: Record<Direction, number> = { toServer: 0, toClient: 0 }
  readonly #requests: string[] = []
  #cutAfter: { readonly bodyBytes: number; readonly kind: CutKind } | undefined
  #blackHole = false
  #server: Server | undefined
  #port = 0
  #connections = 0
  #bytes: Record<Direction, number> = { toServer: 0, toClient: 0 }

  private constructor(target: ProxyTarget) {
    this.#target = target
  }

  /** Listens on a free loopback port and passes everything on to the target. */
  static async start(target: ProxyTarget): Promise<FaultProxy> {
    const proxy = new FaultProxy(target)
    await proxy.accept()
    return proxy
  }

  get port(): number {
    return this.#port
  }

  get address(): string {
    return `127.0.0.1:${this.#port}`
  }

  get url(): string {
    return `http://${this.address}`
  }

  get counters(): ProxyCounters {
    return {
      connections: this.#connections,
      open: this.#links.size,
      bytesToServer: this.#bytes.toServer,
      bytesToClient: this.#bytes.toClient,
      requests: [...this.#requests],
    }
  }

  /** Holds back what comes in one direction, or in both, until {@link resume}. */
  pause(direction?: Direction): void {
    for (const one of directions(direction)) {
      this.#paused.add(one)
      for (const { lanes } of this.#links) lanes[one].pause()
    }
  }

  resume(direction?: Direction): void {
    for (const one of directions(direction)) {
      this.#paused.delete(one)
      for (const { lanes } of this.#links) lanes[one].resume()
    }
  }

  /** Delivers everything so much later, in order. 0 ends that. */
  delay(delayMs: number, direction?: Direction): void {
    for (const one of directions(direction)) {
      this.#delays[one] = delayMs
      for (const { lanes } of this.#links) lanes[one].delayMs = delayMs
    }
  }

  /** Ends all open connections on both sides. Later ones are served. */
  cut(kind: CutKind = 'rst'): void {
    for (const link of this.#links) end(link, kind)
  }

  /** Ends each connection once more than so many bytes of the body of its next answer came. `undefined` stops doing so. */
  cutInBody(bodyBytes: number | undefined, kind: CutKind = 'rst'): void {
    this.#cutAfter = bodyBytes === undefined ? undefined : { bodyBytes, kind }
    for (const link of this.#links) link.lanes.toClient.cut = this.#laneCut(link)
  }

  /**
   * Swallows everything in both directions without a word, as when a cable is pulled: open connections look alive. What was
   * swallowed stays lost; for a network that heals and delivers late, {@link pause} and {@link resume}.
   */
  blackHole(on = true): void {
    this.#blackHole = on
    for (const { lanes } of this.#links) {
      lanes.toServer.swallow = on
      lanes.toClient.swallow = on
    }
  }

  /** Stops listening, so that connecting is refused; open connections go on until {@link cut}. */
  async refuse(): Promise<void> {
    const server = this.#server
    this.#server = undefined
    if (!server) return
    // Its callback waits for open connections, so wait for the port to be free instead.
    server.close()
    await new Promise<void>((resolve) => setImmediate(resolve))
  }

  /** Listens again, on the same port. */
  async accept(): Promise<void> {
    if (this.#server) return
    const server = createServer({ allowHalfOpen: true }, (client) => this.#open(client))
    this.#server = server
    await new Promise<void>((resolve, reject) => {
      server.once('error', reject).listen(this.#port, '127.0.0.1', resolve)
    })
    this.#port = (server.address() as AddressInfo).port
  }

  /** Ends all connections and stops listening. Idempotent. */
  async close(): Promise<void> {
    const closed = [...this.#links].flatMap(({ client, server }) => [client, server]).map(whenClosed)
    this.cut('rst')
    await this.refuse()
    await Promise.all(closed)
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close()
  }

  #open(client: Socket): void {
    this.#connections += 1
    const server = connect({ host: this.#target.host, port: this.#target.port, allowHalfOpen: true })
    const lanes = {
      toServer: new FaultyLane(client, server, (chunk) => this.#saw('toServer', chunk)),
      toClient: new FaultyLane(server, client, (chunk) => this.#saw('toClient', chunk)),
    }
    const link: Link = { client, server, lanes }
    this.#links.add(link)
    for (const direction of directions()) {
      const lane = lanes[direction]
      lane.delayMs = this.#delays[direction]
      lane.swallow = this.#blackHole
      if (this.#paused.has(direction)) lane.pause()
    }
    lanes.toClient.cut = this.#laneCut(link)
    // An error on one side is a reset for the other.
    client.on('error', () => end(link, 'rst')).on('close', () => this.#forget(link))
    server.on('error', () => end(link, 'rst')).on('close', () => this.#forget(link))
  }

  #laneCut(link: Link): LaneCut | undefined {
    const cut = this.#cutAfter
    return cut && { bodyBytes: cut.bodyBytes, act: () => end(link, cut.kind) }
  }

  #saw(direction: Direction, chunk: Buffer): void {
    this.#bytes[direction] += chunk.length
    if (direction === 'toClient') return
    for (const [, line] of chunk.toString('latin1').matchAll(REQUEST_LINE))
      if (line !== undefined) this.#requests.push(line)
  }

  #forget(link: Link): void {
    if (!link.client.destroyed || !link.server.destroyed) return
    link.lanes.toServer.stop()
    link.lanes.toClient.stop()
    this.#links.delete(link)
  }
}

function directions(one?: Direction): readonly Direction[] {
  return one ? [one] : ['toServer', 'toClient']
}

function end({ client, server, lanes }: Link, kind: CutKind): void {
  lanes.toServer.stop()
  lanes.toClient.stop()
  for (const socket of [client, server]) {
    if (kind === 'fin') socket.destroySoon()
    // A socket that has sent its FIN can no longer be reset: the system refuses, and it would never close.
    else if (socket.connecting || socket.writableEnded) socket.destroy()
    else socket.resetAndDestroy()
  }
}

function whenClosed(socket: Socket): Promise<void> {
  return new Promise((resolve) => (socket.closed ? resolve() : void socket.once('close', () => resolve())))
}
