import { isDeepStrictEqual } from 'node:util'
import type { Runtime } from '../core/runtime.js'
import { checkFunction } from '../core/option-check.js'
import { invalidOption } from '../errors/invalid-option.js'
import { ProconsulError } from '../errors/proconsul-error.js'
import type { Hold, Observer } from '../live/live-source.js'
import { factOf } from '../live/live-state.js'
import { LiveView } from '../live/live-view.js'
import type { ConfigFact, ConfigRejected, ConfigSource } from './apply/config-source.js'
import type { ConfigOrigin } from './assembly/origin.js'
import { REDACTED } from './assembly/redaction.js'
import type { DeepReadonly, PathValue } from './settings-value.js'
import { changedPaths, leavesOf } from './tree/diff.js'
import { formatPath, parsePath, type Segments } from './tree/path.js'
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

/** The events of {@link Settings} beside those of everything that is followed. */
export interface SettingsEvents {
  /** Consul holds a state that is not acceptable. Fired once for each such state. */
  readonly rejected: [rejected: RejectedConfig]
}

/** One line of {@link Settings.explain}. */
export interface ExplainedValue extends Partial<ConfigOrigin> {
  readonly path: string
  /** The value, or `[secret]`. */
  readonly value: unknown
}

/** A layer, as it is at present. */
export interface LayerSummary {
  readonly path: string
  /** How many keys of the store it holds. */
  readonly keys: number
}

/** What the settings work with. */
export interface SettingsParts<T> {
  readonly runtime: Runtime
  readonly source: ConfigSource<T>
  readonly signal: AbortSignal | undefined
  readonly onClose: () => void
}

/**
 * A live configuration: the last good value, always there, and what is known about it. It keeps the process running until it is
 * closed. `change` is not fired for the first value, nor when keys changed but the value did not.
 */
export class Settings<T> extends LiveView<ConfigFact<T>, DeepReadonly<T>, ConfigChange<T>, SettingsEvents> {
  #rejection: RejectedConfig | undefined

  constructor({ source, ...parts }: SettingsParts<T>) {
    // Nothing is heard before the constructor has returned.
    const observe = (observer: Observer<ConfigFact<T>>): Hold =>
      source.observe({
        ...observer,
        onValue: (fact) => this.#hear(fact, observer),
        onRejected: (rejected) => this.#onRejected(rejected),
        onMissing: () => undefined,
      })
    super({ ...parts, source: { label: source.label, observe } }, ['rejected'])
  }

  /** The last good configuration, deeply frozen. Parts that did not change are the same objects as before. */
  get value(): DeepReadonly<T> {
    return frozen(this.#fact.value)
  }

  /** The Raft index of the last change that was applied: the same in all processes that run the same configuration. */
  get version(): number {
    return this.#fact.version
  }

  /** The state that Consul holds and that is not applied, if so. */
  get rejection(): RejectedConfig | undefined {
    return this.#rejection
  }

  /** Every layer, lowest first, and how much it holds. */
  get layers(): readonly LayerSummary[] {
    return this.#fact.layers.map(({ layer, documents }) => ({ path: layer.path, keys: documents.length }))
  }

  /** The value at a path such as `db.pool.size`, `servers.0` or `hosts["db.example.com"]`; undefined when there is none. */
  get<Path extends string>(path: Path): PathValue<T, Path>
  get(path: string): unknown {
    return partAt(this.#fact.value, segmentsOf(path))
  }

  /**
   * Where the value at a path comes from: layer, key and the Raft index of the key's last change. For an object or a list, the key of
   * its topmost layer that changed last. Undefined when there is no such value, or the schema made it.
   */
  origin(path: string): ConfigOrigin | undefined {
    return this.#fact.origins.of(segmentsOf(path))
  }

  /** Every value with its path and origin; secrets are not shown. */
  explain(): readonly ExplainedValue[] {
    const { value, origins, redaction } = this.#fact
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
    const onChange = ({ value, previous }: ConfigChange<T>): unknown => {
      const [part, before] = [select(value), select(previous)]
      return isDeepStrictEqual(part, before) ? undefined : listener(part, before)
    }
    this.on('change', onChange)
    return () => {
      this.off('change', onChange)
    }
  }

  protected override present(): DeepReadonly<T> {
    return this.value
  }

  protected override changeOf(next: ConfigFact<T>, previous: ConfigFact<T> | undefined): ConfigChange<T> | undefined {
    if (previous === undefined || next.value === previous.value) return undefined
    const [value, before] = [frozen(next.value), frozen(previous.value)]
    return { value, previous: before, paths: changedPaths(before, value), version: next.version }
  }

  #hear(fact: ConfigFact<T>, observer: Observer<ConfigFact<T>>): void {
    // One that was read again and is the same puts nothing right.
    if (factOf(this.state)?.layers !== fact.layers) this.#rejection = undefined
    observer.onValue(fact)
  }

  #onRejected(rejected: ConfigRejected): void {
    if (this.state.type === 'closed') return
    this.#rejection = withOrigin(rejected)
    this.emit('rejected', this.#rejection)
  }

  get #fact(): ConfigFact<T> {
    const fact = factOf(this.state)
    // Nobody is handed settings before their first value.
    if (fact === undefined) throw new ProconsulError('PROCONSUL_UNAVAILABLE', 'there is no configuration yet')
    return fact
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
