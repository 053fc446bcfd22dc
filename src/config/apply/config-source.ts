import type { ProconsulError } from '../../errors/proconsul-error.js'
import { observerOver, type Confirmed, type Hold, type Observer } from '../../live/live-source.js'
import type { AppliedConfig } from '../assembly/applier.js'
import type { ConfigIssue } from '../assembly/issue.js'

/** A configuration, and when it was last known to be what Consul holds. */
export interface ConfigFact<T> extends AppliedConfig<T>, Confirmed {}

/** A state that is not applied. */
export interface ConfigRejected {
  readonly issues: readonly ConfigIssue[]
  /** `PROCONSUL_CONFIG_INVALID`, or `PROCONSUL_NOT_FOUND` when layers hold nothing that must be there. */
  readonly error: ProconsulError
  /** The version that the state would have had. */
  readonly version: number
}

/** Hears of a configuration. */
export interface ConfigObserver<T> extends Observer<ConfigFact<T>> {
  /** Consul holds a state that is not applied, for now: it may be put right. What was applied before stays. Once for each such state. */
  onRejected(rejected: ConfigRejected): void
  /** Layers hold nothing that must be there. What is there instead is being found out: `onRejected` follows in a moment. */
  onMissing(error: ProconsulError): void
}

/** A configuration as something to follow. Each is a source on top of another. */
export interface ConfigSource<T> {
  readonly label: string
  observe(observer: ConfigObserver<T>): Hold
}

/** An observer that passes everything on, but for what `ways` do in their own way. */
export function configObserverOver<T>(
  observer: ConfigObserver<T>,
  ways: Partial<ConfigObserver<T>>,
): ConfigObserver<T> {
  return {
    ...observerOver(observer, {}),
    onRejected: (rejected) => observer.onRejected(rejected),
    onMissing: (error) => observer.onMissing(error),
    ...ways,
  }
}
