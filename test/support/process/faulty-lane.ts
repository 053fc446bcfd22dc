import type { Socket } from 'node:net'

/** Ends the connection within the body of an answer. */
export interface LaneCut {
  /** How much of the body may still pass. */
  readonly bodyBytes: number
  act(): void
}

const HEAD_END = Buffer.from('\r\n\r\n')
/** Past this much held back, the sender is no longer read: as the buffers of a real network would fill up. */
const HELD_AT_MOST_BYTES = 1024 * 1024

/** One direction of a connection: what comes from one socket goes to the other, late, never, or only in part. */
export class FaultyLane {
  delayMs = 0
  /** Reads everything and passes nothing on. */
  swallow = false
  readonly #from: Socket
  readonly #to: Socket
  readonly #timers = new Set<NodeJS.Timeout>()
  readonly #delayed: (Buffer | 'end')[] = []
  #held: (Buffer | 'end')[] = []
  #heldBytes = 0
  #isPaused = false
  #isStopped = false
  #cut: LaneCut | undefined
  #bodySeen = -1

  constructor(from: Socket, to: Socket, saw: (chunk: Buffer) => void) {
    this.#from = from
    this.#to = to
    from.on('data', (chunk: Buffer) => {
      if (this.swallow) return
      saw(chunk)
      this.#later(chunk)
    })
    from.on('end', () => {
      if (!this.swallow) this.#later('end')
    })
  }

  set cut(cut: LaneCut | undefined) {
    this.#cut = cut
    this.#bodySeen = -1
  }

  pause(): void {
    this.#isPaused = true
  }

  resume(): void {
    this.#isPaused = false
    const held = this.#held
    this.#held = []
    this.#heldBytes = 0
    if (!this.#isStopped) this.#from.resume()
    for (const item of held) this.#deliver(item)
  }

  stop(): void {
    this.#isStopped = true
    this.#held = []
    for (const timer of this.#timers) clearTimeout(timer)
    this.#timers.clear()
  }

  #later(item: Buffer | 'end'): void {
    if (this.delayMs === 0 && this.#delayed.length === 0) {
      this.#deliver(item)
      return
    }
    // Whichever timer fires delivers the oldest, so that nothing overtakes when the delay gets shorter.
    this.#delayed.push(item)
    const timer = setTimeout(() => {
      this.#timers.delete(timer)
      const oldest = this.#delayed.shift()
      if (oldest !== undefined) this.#deliver(oldest)
    }, this.delayMs)
    this.#timers.add(timer)
  }

  #deliver(item: Buffer | 'end'): void {
    if (this.#isStopped) return
    if (this.#isPaused) this.#hold(item)
    else if (item === 'end') this.#to.end()
    else this.#write(item)
  }

  #hold(item: Buffer | 'end'): void {
    this.#held.push(item)
    if (item !== 'end') this.#heldBytes += item.length
    if (this.#heldBytes > HELD_AT_MOST_BYTES) this.#from.pause()
  }

  #write(chunk: Buffer): void {
    const allowed = this.#cut ? this.#passable(chunk, this.#cut) : chunk.length
    const writable = this.#to.write(allowed < chunk.length ? chunk.subarray(0, allowed) : chunk, () => {
      // Only when it has reached the system: a reset throws away what has not.
      if (allowed < chunk.length) this.#cut?.act()
    })
    if (writable) return
    this.#from.pause()
    this.#to.once('drain', () => this.#from.resume())
  }

  /** How many bytes of this chunk may pass before the cut. It counts from the end of the next head that goes by. */
  #passable(chunk: Buffer, { bodyBytes }: LaneCut): number {
    let bodyStart = 0
    if (this.#bodySeen < 0) {
      const headEnd = chunk.indexOf(HEAD_END)
      if (headEnd < 0) return chunk.length
      bodyStart = headEnd + HEAD_END.length
      this.#bodySeen = 0
    }
    const left = bodyBytes - this.#bodySeen
    this.#bodySeen += chunk.length - bodyStart
    return this.#bodySeen > bodyBytes ? bodyStart + Math.max(0, left) : chunk.length
  }
}
