import { abortError, withDeadline } from '../../core/abort.js'
import type { Clock } from '../../core/clock.js'
import { formatDuration } from '../../core/duration.js'
import { ProconsulError } from '../../errors/proconsul-error.js'
import { Assembler, type Assembly } from './assembly.js'
import type { ResolvedConfigOptions } from '../config-options.js'
import type { LayerDocuments, LayerFormat } from './documents.js'
import { ConfigRejection, type ConfigIssue } from '../issue.js'
import { Origins } from '../origin.js'
import { Redaction } from './redaction.js'
import { guarded, validator } from '../schema.js'
import { parsePath } from '../tree/path.js'
import { settle } from '../tree/settle.js'
import type { TreeObject } from '../tree/tree.js'

/** A configuration that passed every check. */
export interface AppliedConfig<T> {
  /** Frozen. Parts that are equal to those of the configuration before are the same objects. */
  readonly value: T
  readonly assembly: Assembly
  readonly origins: Origins
  readonly redaction: Redaction
  /** The Raft index that was applied. */
  readonly version: number
}

/** Makes a configuration of layers that were read: merge, check, ask the hooks. All or nothing. */
export class Applier<T> {
  readonly #options: ResolvedConfigOptions<T>
  readonly #format: LayerFormat['type']
  readonly #clock: Clock
  readonly #assembler: Assembler
  readonly #validate: (tree: TreeObject) => Promise<T>

  constructor(options: ResolvedConfigOptions<T>, format: LayerFormat['type'], clock: Clock) {
    this.#options = options
    this.#format = format
    this.#clock = clock
    this.#assembler = new Assembler(format, options.defaults, options.interpolate)
    this.#validate = validator(options.schema)
  }

  /** @throws ConfigRejection, its issues with their origin and without secrets; ProconsulError when the signal is aborted */
  async apply(
    layers: readonly LayerDocuments[],
    version: number,
    previous: AppliedConfig<T> | undefined,
    signal: AbortSignal,
  ): Promise<AppliedConfig<T>> {
    const assembly = this.#assemble(layers)
    const origins = new Origins(assembly, this.#format)
    const redaction = new Redaction(this.#options.secrets, assembly.flows)
    try {
      const value = settle(previous?.value, await this.#validate(assembly.tree))
      if (value !== previous?.value) await this.#askHooks(value, previous?.value, signal)
      return { value, assembly, origins, redaction, version }
    } catch (error) {
      if (!(error instanceof ConfigRejection)) throw error
      const issues = error.issues.map((issue) => withOrigin(issue, origins))
      throw new ConfigRejection(redaction.issues(issues, assembly.tree))
    }
  }

  #assemble(layers: readonly LayerDocuments[]): Assembly {
    try {
      return this.#assembler.assemble(layers)
    } catch (error) {
      if (!(error instanceof ConfigRejection)) throw error
      throw new ConfigRejection(new Redaction(this.#options.secrets).unquoted(error.issues))
    }
  }

  async #askHooks(next: T, previous: T | undefined, signal: AbortSignal): Promise<void> {
    const { timeoutMs, beforeApply } = this.#options
    const onTimeout = (): ProconsulError =>
      new ProconsulError('PROCONSUL_TIMEOUT', `a beforeApply hook did not settle within ${formatDuration(timeoutMs)}`)
    for (const hook of beforeApply) {
      await guarded(() =>
        withDeadline({ clock: this.#clock, timeoutMs, signal, onTimeout }, async (hookSignal) => {
          await hook(next, { previous, signal: hookSignal })
        }),
      )
      if (signal.aborted) throw abortError(signal)
    }
  }
}

/** The issue with the key that its path comes from. */
function withOrigin(issue: ConfigIssue, origins: Origins): ConfigIssue {
  const segments = issue.path === undefined ? undefined : parsePath(issue.path)
  if (segments === undefined || issue.key !== undefined) return issue
  return { ...issue, ...origins.of(segments) }
}
