import { isDeepStrictEqual } from 'node:util'
import { Emitter } from '../core/emitter.js'
import type { Logger } from '../core/logger.js'
import { checkFunction } from '../core/option-check.js'
import { invalidOption } from '../errors/invalid-option.js'
import type { ProconsulError } from '../errors/proconsul-error.js'
import type { Closeable } from '../lifecycle/closeable.js'
import type { AppliedConfig } from './assembly/applier.js'
import type { ConfigLoop, ConfigRejected, ConfigStaleness } from './config-loop.js'
import type { ConfigOrigin } from './origin.js'
import { REDACTED } from './assembly/redaction.js'
import { changedPaths, leavesOf } from './tree/diff.js'
import { formatPath, parsePath, type Segments } from './tree/path.js'
import type { DeepReadonly, PathValue } from './settings-value.js'
import { partAt } from './tree/tree.js'

/** A configuration was applied that differs by value from the one before. */
export interface ConfigChange<T> {
  readonly value: DeepReadonly<T>
  readonly previous: DeepReadonly<T>
  /** Each leaf that was added, removed or changed; a list is one leaf. Sorted. */
  readonly paths: readonly string[]
  readonly version: number
}

/** A state was not applied; the last good value stays. */
export interface RejectedConfig extends ConfigRejected {
  /** Where the first issue comes from, as far as it is known. */
  readonly origin: Partial<ConfigOrigin>
}

/** The events of {@link Settings}. */
export interface SettingsEvents<T> {
  /** The value changed. Not fired for the first value, nor when keys changed but the value did not. */
  change: [ConfigChange<T>]
  /** Consul holds a state that is not acceptable. Fired once for each such state. */
  rejected: [RejectedConfig]
  /** The value may be out of date: Consul cannot be reached, or keys are missing that may be lost. */
  stale: [ConfigStaleness]
  /** The value is current again. Fired before a `change` that the outage held back. */
  recovered: []
  /** Something beside the value failed, such as the writing of the cache file. */
  error: [ProconsulError]
  closed: []
}

/** One line of {@link Settings.explain}. */
export interface ExplainedValue extends Partial<ConfigOrigin> {
  readonly path: string
  /** The value, or `[secret]`. */
  readonly value: unknown
}

/**
 * A live configuration: the last good value, always there, and what is known about it. It keeps the process running until it is
 * closed.
 */
export class Settings<T> extends Emitter<SettingsEvents<T>> implements Closeable {
  readonly #loop: ConfigLoop<T>
  readonly #logger: Logger
  readonly #watches = new Set<(value: DeepReadonly<T>, previous: DeepReadonly<T>) => void>()
  #current: AppliedConfig<T>
  #closing: Promise<void> | undefined

  constructor(loop: ConfigLoop<T>, first: AppliedConfig<T>, logger: Logger) {
    super(logger, ['change', 'rejected', 'stale', 'recovered', 'error', 'closed'])
    this.#loop = loop
    this.#logger = logger
    this.#current = first
    loop.observe({
      onApplied: (config) => this.#onApplied(config),
      onRejected: (rejected) => this.emit('rejected', withOrigin(rejected)),
      onStale: (stale) => this.emit('stale', stale),
      onRecovered: () => this.emit('recovered'),
      onError: (error) => this.#onError(error),
    })
  }

  /** The last good configuration, deeply frozen. Parts that did not change are the same objects as before. */
  get value(): DeepReadonly<T> {
    return frozen(this.#current.value)
  }

  /** The Raft index of the last change that was applied: the same in all processes that run the same configuration. */
  get version(): number {
    return this.#current.version
  }

  /** Whether the value may be out of date. */
  get stale(): boolean {
    return this.#loop.stale !== undefined
  }

  /** Since when and why the value may be out of date; undefined when it is current. */
  get staleness(): ConfigStaleness | undefined {
    return this.#loop.stale
  }

  /** The state that Consul holds and that is not applied, if so. */
  get rejection(): RejectedConfig | undefined {
    return this.#loop.rejected && withOrigin(this.#loop.rejected)
  }

  /** The value at a path such as `db.pool.size`, `servers.0` or `hosts["db.example.com"]`; undefined when there is none. */
  get<Path extends string>(path: Path): PathValue<T, Path>
  get(path: string): unknown {
    return partAt(this.#current.value, segmentsOf(path))
  }

  /**
   * Where the value at a path comes from: layer, key and the Raft index of the key's last change. For an object or a list, the key of
   * its topmost layer that changed last. Undefined when there is no such value, or the schema made it.
   */
  origin(path: string): ConfigOrigin | undefined {
    return this.#current.origins.of(segmentsOf(path))
  }

  /** Every value with its path and origin; secrets are not shown. */
  explain(): readonly ExplainedValue[] {
    const { value, origins, redaction } = this.#current
    return leavesOf(value).map((leaf) => ({
      path: formatPath(leaf.segments),
      value: redaction.isSecret(leaf.segments) ? REDACTED : leaf.value,
      ...origins.of(leaf.segments),
    }))
  }

  /**
   * Calls `listener` whenever what `select` picks changes by value; not for the present value. Returns a function that ends that. What
   * either throws is logged.
   * @throws ProconsulError `PROCONSUL_INVALID_OPTION`
   */
  watch<Part>(select: (value: DeepReadonly<T>) => Part, listener: (part: Part, previous: Part) => unknown): () => void {
    checkFunction('select', select)
    checkFunction('listener', listener)
    const watch = (value: DeepReadonly<T>, previous: DeepReadonly<T>): void => {
      const [part, before] = [select(value), select(previous)]
      if (isDeepStrictEqual(part, before)) return
      const returned = listener(part, before)
      if (returned instanceof Promise) returned.catch((error: unknown) => this.#report(error))
    }
    this.#watches.add(watch)
    return () => {
      this.#watches.delete(watch)
    }
  }

  /** Ends the watch at once: nothing but `closed` is told any more. The value stays readable. Resolves when a cache file is written. */
  close(): Promise<void> {
    if (this.#closing === undefined) {
      this.#closing = this.#loop.close()
      this.#watches.clear()
      this.emit('closed')
      this.removeAllListeners()
    }
    return this.#closing
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close()
  }

  #onApplied(config: AppliedConfig<T>): void {
    const previous = this.#current
    this.#current = config
    if (config.value === previous.value) return
    const [value, before] = [frozen(config.value), frozen(previous.value)]
    this.emit('change', { value, previous: before, paths: changedPaths(before, value), version: config.version })
    for (const watch of [...this.#watches]) {
      try {
        // One before it may have ended it.
        if (this.#watches.has(watch)) watch(value, before)
      } catch (error) {
        this.#report(error)
      }
    }
  }

  #onError(error: ProconsulError): void {
    if (!this.emit('error', error)) this.#logger.warn({ err: error }, error.message)
  }

  #report(error: unknown): void {
    this.#logger.error({ err: error }, 'a watch of a setting failed')
  }
}

/** What is applied is deeply frozen: only its type does not know. */
function frozen<T>(value: T): DeepReadonly<T>
function frozen(value: unknown): unknown {
  return value
}

function segmentsOf(path: unknown): Segments {
  const segments = typeof path === 'string' ? parsePath(path) : undefined
  if (segments === undefined) throw invalidOption('path', path, `a path such as 'db.pool.size' or 'hosts["a.b"]'`)
  return segments
}

function withOrigin(rejected: ConfigRejected): RejectedConfig {
  const [{ layer, key, modifyIndex } = {}] = rejected.issues
  return {
    ...rejected,
    origin: {
      ...(layer !== undefined && { layer }),
      ...(key !== undefined && { key }),
      ...(modifyIndex !== undefined && { modifyIndex }),
    },
  }
}
