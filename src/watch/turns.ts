import { throwIfAborted } from '../core/abort.js'
import type { Clock } from '../core/clock.js'
import { WaitingLine, type Waiter } from '../core/waiting-line.js'

/**
 * Shares out the places for blocking queries. While there are places for all, each query holds one. Past that, queries that changed
 * lately keep at most half of the places, and the rest are visited in turns so short that each is read once per sweep.
 */

/** What a query says when it asks for a place. */
export interface TurnRequest {
  /** Whether it changed lately. */
  readonly hot: boolean
  /** How long the query has existed, in milliseconds. */
  readonly ageMs: number
}

/** A place for one blocking query. */
export interface Turn {
  /** How long to ask the agent to hold it, in milliseconds. */
  readonly waitMs: number
  /** Whether it is one of a round among more queries than places: the round bounds how often each of them is read. */
  readonly isVisit: boolean
  leave(): void
}

/** A moment's view of the places. */
export interface TurnsDebug {
  readonly places: number
  /** Queries that take part. */
  readonly queries: number
  /** Queries that hold a place for long. */
  readonly anchored: number
  /** Queries that hold a place for a turn. */
  readonly visiting: number
  /** Queries that wait for their turn. */
  readonly waiting: number
  /** How long a change of a waiting query may stay unseen, in milliseconds; 0 while every query has a place. */
  readonly sweepMs: number
}

interface Place extends TurnRequest {
  /** Counts those who have queued: who came first has the lower number. */
  readonly number: number
}

type TurnWaiter = Waiter<Turn, Place>

/** The time in which each of more queries than places gets a turn. A change is then seen within two seconds, up to 1,500 queries. */
const SWEEP_MS = 1_500
/** Reads that the turns may cost a second, a tenth of what one small agent answers. With more queries the sweep takes longer. */
const MOST_TURNS_PER_SECOND = 1_000
/** A young query waits no longer than this: whoever opens and closes watches in a row must not fill the agent with abandoned ones. */
const FIRST_WAIT_MS = 1_000
/** Beyond the anchored half, a query gives its place back after this, so that newcomers in number need not wait long. */
const RELAXED_WAIT_MS = 5_000
/** A query that changed lately keeps its place this long among many; then it is judged anew. */
const HOT_WAIT_MS = 10_000
/** While queries wait for their first answer, those that have one are swept so many times slower. */
const STARTING_FACTOR = 4
/** Weight of the last turn in the running mean of what a turn costs beyond its wait. */
const COST_WEIGHT = 0.05

export class Turns {
  readonly #clock: Clock
  readonly #places: number
  readonly #longestWaitMs: number
  /** Those who wait and changed lately; apart from the others, so that the next one is found at once among thousands. */
  readonly #hot = new WaitingLine<Turn, Place>()
  readonly #calm = new WaitingLine<Turn, Place>()
  #queued = 0
  #members = 0
  #anchored = 0
  #visiting = 0
  #starting = 0
  #costMs = 0

  /** @param longestWaitMs the longest that the agent is asked to hold one query */
  constructor(clock: Clock, places: number, longestWaitMs: number) {
    this.#clock = clock
    this.#places = places
    this.#longestWaitMs = longestWaitMs
  }

  /** A query takes part from now on. Call what is returned once it has its first answer or failure. */
  join(): () => void {
    this.#members += 1
    this.#starting += 1
    let isStarting = true
    return () => {
      if (isStarting) this.#starting -= 1
      isStarting = false
    }
  }

  /** A query takes part no more. */
  part(): void {
    this.#members -= 1
  }

  /**
   * Waits for a place, in order of asking; a query that changed lately goes first only to a place that it may keep, so that many of
   * them cannot starve the rest. Rejects when the signal is aborted.
   */
  async enter(request: TurnRequest, signal: AbortSignal): Promise<Turn> {
    throwIfAborted(signal)
    if (this.#waiting === 0 && this.#anchored + this.#visiting < this.#places) return this.#grant(request)
    this.#queued += 1
    const line = request.hot ? this.#hot : this.#calm
    return await line.wait({ ...request, number: this.#queued }, signal)
  }

  debug(): TurnsDebug {
    const crowded = this.#members > this.#places
    return {
      places: this.#places,
      queries: this.#members,
      anchored: this.#anchored,
      visiting: this.#visiting,
      waiting: this.#waiting,
      sweepMs: crowded ? Math.round(((this.#turnMs() + this.#costMs) * this.#rotating) / this.#rotatingPlaces) : 0,
    }
  }

  #grant(request: TurnRequest): Turn {
    const crowded = this.#members > this.#places
    const anchored = this.#hasAnchor && (!crowded || request.hot)
    const longestMs = anchored ? (crowded ? HOT_WAIT_MS : Infinity) : crowded ? this.#turnMs() : RELAXED_WAIT_MS
    const waitMs = Math.round(Math.min(this.#longestWaitMs, longestMs, Math.max(FIRST_WAIT_MS, request.ageMs)))
    if (anchored) this.#anchored += 1
    else this.#visiting += 1
    const grantedAt = this.#clock.monotonic()
    return {
      waitMs,
      isVisit: crowded && !anchored,
      leave: () => {
        const tookMs = this.#clock.monotonic() - grantedAt
        // A turn that ended early tells of a change, not of its cost.
        if (tookMs >= waitMs) this.#costMs += COST_WEIGHT * (tookMs - waitMs - this.#costMs)
        if (anchored) this.#anchored -= 1
        else this.#visiting -= 1
        this.#next()
      },
    }
  }

  #next(): void {
    const next = this.#first()
    next?.give(this.#grant(next.request))
  }

  /** Who comes next: whoever asked first, but for a place to keep whoever changed lately. */
  #first(): TurnWaiter | undefined {
    const [hot, calm] = [this.#hot.first(), this.#calm.first()]
    if (hot === undefined || calm === undefined) return hot ?? calm
    return this.#hasAnchor || hot.request.number < calm.request.number ? hot : calm
  }

  get #waiting(): number {
    return this.#hot.size + this.#calm.size
  }

  get #hasAnchor(): boolean {
    return this.#anchored < Math.floor(this.#places / 2)
  }

  /** So long that all turns together, with what they cost beside their wait, take one sweep; but no more turns than allowed. */
  #turnMs(): number {
    const sweepMs = this.#starting > 0 ? SWEEP_MS * STARTING_FACTOR : SWEEP_MS
    const eachMs = this.#rotatingPlaces * Math.max(sweepMs / this.#rotating, 1_000 / MOST_TURNS_PER_SECOND)
    return Math.max(1, eachMs - this.#costMs)
  }

  get #rotating(): number {
    return Math.max(1, this.#members - this.#anchored)
  }

  get #rotatingPlaces(): number {
    return Math.max(1, this.#places - this.#anchored)
  }
}
