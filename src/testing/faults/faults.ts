/** The bad days of an agent, each at the call of a method. */
import type { Clock, Timer } from '../../core/clock.js'
import { parseDuration, type Duration } from '../../core/duration.js'
import type { FaultEffect } from './fault-effect.js'
import { Fault, type FaultHandle } from './fault.js'
import type { FaultMatch, FaultSubject } from './fault-match.js'

/** What the faults act on besides single requests. */
export interface FaultTarget {
  readonly clock: Clock
  /** Closes the port; the returned function opens it again. */
  closePort(): () => void
  /** Takes the cluster's leader away; the returned function elects one. */
  loseLeader(): () => void
  /** Lets every blocking query answer now, changed or not. */
  wakeBlockedQueries(): void
  /** Fails every blocking query that waits for replicated state. */
  failBlockedQueries(): void
}

/** How a status is answered. */
export interface StatusOptions extends FaultMatch {
  /** The body. Default: what Consul says with that status, where it is known, else nothing. */
  readonly body?: string
  /** More headers, such as `Retry-After`. */
  readonly headers?: Readonly<Record<string, string>>
}

const KNOWN_BODIES: Readonly<Record<number, string>> = {
  403: 'Permission denied',
  429: 'rate limit exceeded, try again later or against a different server',
  500: 'rpc error making call: EOF',
  503: 'rate limit exceeded for operation that can only be performed by the leader, try again later',
}

const DEFAULT_SPURIOUS_INTERVAL = '100ms'

/**
 * The faults of one agent. Each method puts one in force and returns a handle to remove it; `clear` removes all. A fault is for every request
 * unless `{ method, path, times }` says for which. Of several, delays add up, and the first put in force decides what is answered.
 */
export class Faults {
  readonly #target: () => FaultTarget
  #faults: readonly Fault[] = []

  constructor(target: () => FaultTarget) {
    this.#target = target
  }

  /** Nobody can connect, and open connections are reset: the agent is down. With a match, only those requests are reset. */
  refuse(match?: FaultMatch): FaultHandle {
    if (match !== undefined) return this.#add({ type: 'reset' }, match)
    const reopen = this.#target().closePort()
    return this.#addState(reopen)
  }

  /**
   * The connection is closed without an answer. With `afterHandling` the request has taken effect before that, so that its sender cannot know.
   */
  drop(match: FaultMatch & { readonly afterHandling?: boolean } = {}): FaultHandle {
    return this.#add({ type: 'drop', afterHandling: match.afterHandling ?? false }, match)
  }

  /** Every answer comes later by `by`, on the agent's clock. */
  delay(by: Duration, match: FaultMatch = {}): FaultHandle {
    return this.#add({ type: 'delay', delayMs: parseDuration('by', by) }, match)
  }

  /** Connections are taken, but no answer comes until the fault is removed: a frozen agent. Then the held requests are handled. */
  hang(match: FaultMatch = {}): FaultHandle {
    return this.#add({ type: 'hang' }, match)
  }

  /** The answer breaks off in mid-body: after `afterBytes`, or in its middle when that is not given. */
  cut(match: FaultMatch & { readonly afterBytes?: number } = {}): FaultHandle {
    return this.#add({ type: 'cut', afterBytes: match.afterBytes }, match)
  }

  /** The answer is this status, and the request has no effect. */
  status(status: number, options: StatusOptions = {}): FaultHandle {
    const body = options.body ?? KNOWN_BODIES[status] ?? ''
    return this.#add({ type: 'answer', status, headers: { ...PLAIN, ...options.headers }, body }, options)
  }

  /** The agent limits the rate: 429, with `Retry-After` when given in seconds. */
  rateLimited(options: FaultMatch & { readonly retryAfterSeconds?: number } = {}): FaultHandle {
    const { retryAfterSeconds } = options
    const headers = retryAfterSeconds === undefined ? {} : { 'Retry-After': String(retryAfterSeconds) }
    return this.status(429, { ...options, headers })
  }

  /** ACLs refuse: 403. */
  forbidden(match: FaultMatch = {}): FaultHandle {
    return this.status(403, match)
  }

  /**
   * The cluster has no leader: reads and writes fail with 500 unless they are stale, the agent's own calls go on, and nothing reaches the
   * catalog until the fault is removed. Queries that already wait are not disturbed, as when a leader steps down; with `failBlocked` they fail
   * at once, as when it dies. With a match, those requests fail, and nothing else.
   */
  noLeader({ failBlocked = false, ...match }: FaultMatch & { readonly failBlocked?: boolean } = {}): FaultHandle {
    if (Object.keys(match).length > 0) return this.status(500, { ...match, body: 'No cluster leader' })
    const target = this.#target()
    const elect = target.loseLeader()
    if (failBlocked) target.failBlockedQueries()
    return this.#addState(elect)
  }

  /** The answer is 200 with JSON's headers and a body that is no JSON. */
  garbage(match: FaultMatch = {}): FaultHandle {
    const body = '[{"Node": {"ID": "\u0000\u0007garbage'
    return this.#add(
      { type: 'answer', status: 200, headers: { 'Content-Type': 'application/json', 'X-Consul-Index': '7' }, body },
      match,
    )
  }

  /** The index on answers goes back to `to`, 1 unless given, as after a restore; the data stays as it is. */
  indexBackwards(match: FaultMatch & { readonly to?: number } = {}): FaultHandle {
    return this.#add({ type: 'index', index: BigInt(match.to ?? 1) }, match)
  }

  /** The index on answers is 0, which a client must not send back. */
  indexZero(match: FaultMatch = {}): FaultHandle {
    return this.#add({ type: 'index', index: 0n }, match)
  }

  /** Blocking queries answer `every` so often, though nothing has changed. */
  spuriousWakeUps({ every = DEFAULT_SPURIOUS_INTERVAL }: { readonly every?: Duration } = {}): FaultHandle {
    const everyMs = parseDuration('every', every, { minMs: 1 })
    const target = this.#target()
    let timer: Timer
    const repeat = (): void => {
      timer = target.clock.setTimer(
        () => {
          target.wakeBlockedQueries()
          repeat()
        },
        everyMs,
        { keepAlive: false },
      )
    }
    repeat()
    return this.#addState(() => timer.cancel())
  }

  /** Removes every fault. Requests that they held go on. */
  clear(): void {
    for (const fault of this.#faults) fault.remove()
  }

  /** The faults that a request meets, in the order they were put in force. */
  take(subject: FaultSubject): readonly Fault[] {
    return this.#faults.filter((fault) => fault.take(subject))
  }

  #add(effect: FaultEffect, match: FaultMatch): Fault {
    const fault = new Fault(effect, match, (removed) => this.#forget(removed))
    this.#faults = [...this.#faults, fault]
    return fault
  }

  /** A fault that no single request meets. */
  #addState(undo: () => void): Fault {
    const fault = new Fault({ type: 'delay', delayMs: 0 }, { times: 0 }, (removed) => {
      this.#forget(removed)
      undo()
    })
    this.#faults = [...this.#faults, fault]
    return fault
  }

  #forget(fault: Fault): void {
    this.#faults = this.#faults.filter((other) => other !== fault)
  }
}

const PLAIN = { 'Content-Type': 'text/plain; charset=utf-8' }
