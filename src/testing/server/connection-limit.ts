import type { Socket } from 'node:net'

/**
 * Counts the connections of each client. A slot is held until its connection is closed **and** the request on it is done: an aborted
 * blocking query keeps its slot until its wait ends, as on the real agent.
 */
export class ConnectionLimit {
  readonly #limit: number
  readonly #slots = new Map<string, number>()
  readonly #busy = new Map<Socket, number>()

  constructor(limit: number) {
    this.#limit = limit
  }

  /** Takes a slot for a new connection; false when its client has too many. */
  admit(socket: Socket): boolean {
    const client = socket.remoteAddress ?? ''
    const taken = this.#slots.get(client) ?? 0
    if (taken >= this.#limit) return false
    this.#slots.set(client, taken + 1)
    this.#busy.set(socket, 0)
    socket.once('close', () => this.#release(client, socket))
    return true
  }

  /** A request begins on a connection; the returned function says that it is done. */
  begin(socket: Socket): () => void {
    const client = socket.remoteAddress ?? ''
    this.#busy.set(socket, (this.#busy.get(socket) ?? 0) + 1)
    return () => {
      this.#busy.set(socket, (this.#busy.get(socket) ?? 1) - 1)
      if (socket.destroyed) this.#release(client, socket)
    }
  }

  #release(client: string, socket: Socket): void {
    if (this.#busy.get(socket) !== 0) return
    this.#busy.delete(socket)
    const left = (this.#slots.get(client) ?? 1) - 1
    if (left > 0) this.#slots.set(client, left)
    else this.#slots.delete(client)
  }
}
