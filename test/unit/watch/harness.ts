import type { Runtime } from '../../../src/core/runtime.js'
import { ProconsulError, type ProconsulErrorCode } from '../../../src/errors/proconsul-error.js'
import { Lane } from '../../../src/http/lane.js'
import { scopeOf } from '../../../src/watch/read-scope.js'
import { WatchEngine, type WatchFamily } from '../../../src/watch/watch-engine.js'
import { resolveWatchOptions, type WatchOptions } from '../../../src/watch/watch-options.js'
import type { WatchObserver, WatchQuery, WatchSnapshot } from '../../../src/watch/watch-query.js'
import { FakeClock } from '../../support/fake-clock.js'
import { ScriptedRead } from './scripted-read.js'

/** What an observer heard, in order. */
export class Heard<T> implements WatchObserver<T> {
  readonly events: string[] = []
  readonly values: T[] = []
  /** When the value that each value replaced was last confirmed. */
  readonly replaced: (number | undefined)[] = []
  onValue(snapshot: WatchSnapshot<T>, before?: WatchSnapshot<T>): void {
    this.replaced.push(before?.receivedAt)
    this.values.push(snapshot.value)
    this.events.push(`value ${String(snapshot.value)}`)
  }
  onFailure(error: ProconsulError): void {
    this.events.push(`failure ${error.code}`)
  }
  onRecovery(): void {
    this.events.push('recovery')
  }
}

export interface Harness {
  readonly clock: FakeClock
  readonly engine: WatchEngine
  readonly texts: WatchFamily<string>
  /** Messages, each after its level. */
  readonly logged: string[]
}

/** A query of the leader of the agent's own datacenter, unless `facts` say otherwise. */
export function query<T>(
  key: string,
  { read }: Pick<WatchQuery<T>, 'read'>,
  facts: Partial<WatchQuery<T>> = {},
): WatchQuery<T> {
  return { key, scope: scopeOf({}), read, ...facts }
}

/** An engine on a fake clock, with a family of strings in which '' stands for what does not exist. */
export function makeEngine(options: WatchOptions = {}, places = 4): Harness {
  const clock = new FakeClock()
  const logged: string[] = []
  const log =
    (level: string) =>
    (_fields: object, message: string): void =>
      void logged.push(`${level} ${message}`)
  const logger = { debug: log('debug'), info: log('info'), warn: log('warn'), error: log('error') }
  const runtime: Runtime = { clock, random: () => 0.5, logger }
  const budget = { blockingPlaces: places, plainReads: new Lane(4, clock) }
  const engine = new WatchEngine(runtime, budget, resolveWatchOptions(options))
  const texts = engine.family<string>({
    name: 'text',
    reconcile: (previous, next) => (previous === next ? previous : next),
    isEmpty: (value) => value === '',
  })
  return { clock, engine, texts, logged }
}

export function failure(code: ProconsulErrorCode = 'PROCONSUL_UNAVAILABLE', retryAfterMs?: number): ProconsulError {
  return new ProconsulError(code, 'a scripted failure', retryAfterMs === undefined ? {} : { retryAfterMs })
}

/** A watch whose answers a test gives, with what it told. */
export function watch(
  harness: Harness,
  facts: Partial<WatchQuery<string>> = {},
): { script: ScriptedRead<string>; heard: Heard<string> } {
  const script = new ScriptedRead<string>()
  const heard = new Heard<string>()
  harness.texts.subscribe(query('k', script, facts), heard)
  return { script, heard }
}
