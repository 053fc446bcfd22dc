import { createBalancer, type CreateBalancerOptions } from '../../../src/balancer/create-balancer.js'
import type { Balancer } from '../../../src/balancer/balancer.js'
import type { ProconsulError } from '../../../src/errors/proconsul-error.js'
import type { EmptyReason, InstanceList, InstanceSource } from '../../../src/instances/instance-source.js'
import { checkInstances } from '../../../src/instances/given-list.js'
import { watchInstances } from '../../../src/instances/watch-instances.js'
import type { InstanceFields } from '../../../src/instances/service-instance.js'
import type { Observer } from '../../../src/live/live-source.js'
import { FakeClock, settle } from '../../support/fake-clock.js'
import { recordingLogger, type RecordingLogger } from '../../support/recording-logger.js'
import { afterTest } from '../../support/opened.js'

/** An instance of the service `users`; `u1` listens on port 1, and so on. */
export function user(number: number, fields: Partial<InstanceFields> = {}): InstanceFields {
  return { id: `u${number}`, name: 'users', address: '127.0.0.1', port: number, ...fields }
}

/** `u1` to `u<count>`. */
export function users(count: number): readonly InstanceFields[] {
  return Array.from({ length: count }, (_, index) => user(index + 1))
}

/** A source that says what a test tells it to. */
export class ScriptedInstances implements InstanceSource {
  readonly label = 'users'
  refreshes = 0
  isClosed = false
  #observer: Observer<InstanceList> | undefined

  observe(observer: Observer<InstanceList>): { close(): void; refresh(): void } {
    this.#observer = observer
    return {
      close: () => {
        this.isClosed = true
      },
      refresh: () => {
        this.refreshes += 1
      },
    }
  }

  list(instances: readonly InstanceFields[], emptyReason?: EmptyReason): void {
    const list = { instances: checkInstances(instances), confirmedAt: Date.now(), isContinuous: true, emptyReason }
    this.#observer?.onValue(list)
  }

  fail(error: ProconsulError): void {
    this.#observer?.onFailure(error)
  }
}

export interface Scripted {
  readonly balancer: Balancer
  readonly source: ScriptedInstances
  readonly clock: FakeClock
  readonly logger: RecordingLogger
}

/** A balancer over a scripted source and a clock that stands still; with instances unless `undefined` is given. */
export async function scripted(
  instances: readonly InstanceFields[] | undefined,
  options: CreateBalancerOptions = {},
): Promise<Scripted> {
  const [source, clock, logger] = [new ScriptedInstances(), new FakeClock(), recordingLogger()]
  // Without its guard, which would doubt a sudden loss.
  const watcher = watchInstances(source, { clock, logger, lossGuard: false })
  const balancer = createBalancer(watcher, { clock, logger, random: seeded(1), ...options })
  afterTest(async () => {
    await balancer.close()
    await watcher.close()
  })
  await settle()
  if (instances !== undefined) source.list(instances)
  return { balancer, source, clock, logger }
}

/** Numbers from 0 to 1 that are the same in every run. */
export function seeded(seed: number): () => number {
  let state = seed
  return () => {
    state = (state * 48_271) % 2_147_483_647
    return state / 2_147_483_647
  }
}

/** Fails so many calls to one instance. */
export function failCalls(balancer: Balancer, id: string, times: number, error: unknown = new Error('no')): void {
  for (let count = 0; count < times;) {
    const pick = balancer.pick({ exclude: (instance) => instance.id !== id })
    count += 1
    pick.done({ ok: false, error })
  }
}

/** How often each instance is picked; every call ends well at once. */
export function counts(balancer: Balancer, picks: number, key?: (index: number) => string): Map<string, number> {
  const found = new Map<string, number>()
  for (let index = 0; index < picks; index += 1) {
    const pick = balancer.pick(key === undefined ? undefined : { key: key(index) })
    found.set(pick.instance.id, (found.get(pick.instance.id) ?? 0) + 1)
    pick.done()
  }
  return found
}
