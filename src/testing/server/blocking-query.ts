/**
 * Blocking queries: read, compare the index, wait for a wake-up, read again. The rules are Consul's own, see
 * https://developer.hashicorp.com/consul/api-docs/features/blocking.
 */
import type { Clock } from '../../core/clock.js'
import type { StateStore } from '../state/state-store.js'
import type { Topic } from '../state/wake-ups.js'
import type { ApiRequest } from './api-request.js'
import { Refusal } from '../wire/reply.js'
import type { EndedWait, Waiters } from '../state/waiters.js'

/** One reading: its index, what would make another worthwhile, and the value, which is built only when it is sent. */
export interface Reading<Value> {
  readonly index: number
  readonly interests: readonly Topic[]
  readonly value: () => Value
  /** True when a single thing was asked for and is not there. */
  readonly isMissing?: boolean
}

/** What came of a blocking query. */
export interface QueryResult<Value> {
  readonly index: bigint
  readonly value: Value
}

/** What a wait needs. */
export interface WaitContext {
  readonly clock: Clock
  readonly store: StateStore
  readonly waiters: Waiters
}

/** What the queries of one agent wait with. */
export interface BlockingContext extends WaitContext {
  readonly random: () => number
  /** A blocking read of a missing key goes on waiting as long as the key stays missing. */
  readonly missingKeepsBlocking: boolean
}

type Waited = EndedWait | 'woken' | 'expired'

/** Reads at once when the request has no index; else waits until the index passes it, or until the wait ends. */
export async function blockingQuery<Value>(
  context: BlockingContext,
  request: ApiRequest,
  read: () => Reading<Value>,
): Promise<QueryResult<Value>> {
  const { clock, store } = context
  let minIndex = request.minIndex
  const waitMs = request.waitMs
  let reading = read()
  if (minIndex === 0n) return toResult(reading)
  const generation = store.generation
  const deadlineMs = clock.monotonic() + waitMs + context.random() * (waitMs / 16)
  let wasMissing = reading.isMissing === true
  while (toIndex(reading) <= minIndex && store.generation === generation) {
    const outcome = await waitFor(context, reading.interests, deadlineMs - clock.monotonic())
    if (outcome === 'stopped') throw new AgentStopped()
    if (outcome === 'failed') throw new Refusal(500, 'rpc error making call: EOF')
    reading = read()
    if (outcome !== 'woken') break
    if (context.missingKeepsBlocking && reading.isMissing === true && wasMissing) {
      minIndex = toIndex(reading) > minIndex ? toIndex(reading) : minIndex
    }
    wasMissing = reading.isMissing === true
  }
  return toResult(reading)
}

/** The agent was closed while a query was waiting; its connection is gone, so nobody hears of it. */
export class AgentStopped extends Error {
  override readonly name = 'AgentStopped'
}

/** An index is never 0: it would make the next query one that does not block. */
function toIndex(reading: Reading<unknown>): bigint {
  return BigInt(Math.max(1, reading.index))
}

function toResult<Value>(reading: Reading<Value>): QueryResult<Value> {
  return { index: toIndex(reading), value: reading.value() }
}

/** Waits for one of the topics, at most so long. */
export function waitFor(context: WaitContext, interests: readonly Topic[], waitMs: number): Promise<Waited> {
  const { clock, store, waiters } = context
  if (waiters.isClosed) return Promise.resolve('stopped')
  if (waitMs <= 0) return Promise.resolve('expired')
  return new Promise((resolve) => {
    const settle = (outcome: Waited): void => {
      timer.cancel()
      unwatch()
      leave()
      resolve(outcome)
    }
    const timer = clock.setTimer(() => settle('expired'), waitMs, { keepAlive: false })
    const unwatch = store.wakeUps.watch(interests, () => settle('woken'))
    const leave = waiters.add(settle)
  })
}
