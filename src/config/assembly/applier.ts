import { abortError, throwIfAborted, withDeadline } from '../../core/abort.js'
import { inThisContext } from '../../core/async-context.js'
import type { Clock } from '../../core/clock.js'
import { formatDuration } from '../../core/duration.js'
import { ProconsulError } from '../../errors/proconsul-error.js'
import type { LayerFormat } from '../formats/layer-format.js'
import type { BeforeApply, ResolvedConfigOptions } from '../options/config-options.js'
import { parsePath } from '../tree/path.js'
import { settle } from '../tree/settle.js'
import type { TreeObject } from '../tree/tree.js'
import { Assembler, type Assembly } from './assembly.js'
import type { AssembledLayer, LayerDocuments } from './documents.js'
import { ConfigRejection, type ConfigIssue } from './issue.js'
import { Origins } from './origin.js'
import { Redaction } from './redaction.js'
import { guarded, validator } from './validation.js'

/** A configuration that passed every check. */
export interface AppliedConfig<T> {
  /** Frozen. Parts that are equal to those of the configuration before are the same objects. */
  readonly value: T
  readonly layers: readonly AssembledLayer[]
  readonly origins: Origins
  readonly redaction: Redaction
  /** The Raft index that was applied. */
  readonly version: number
}

/** Makes configurations of layers that were read: merge, check, ask the hooks. All or nothing, and one at a time. */
export class Applier<T> {
  readonly #options: ResolvedConfigOptions<T>
  readonly #format: LayerFormat['type']
  readonly #clock: Clock
  readonly #assembler: Assembler
  readonly #validate: (tree: TreeObject) => Promise<T>
  readonly #hooks: readonly BeforeApply<T>[]
  /** The one before. */
  #last: { readonly value: T } | undefined
  #turn: Promise<unknown> = Promise.resolve()

  /** Schema and hooks run in the async context of this call. */
  constructor(options: ResolvedConfigOptions<T>, format: LayerFormat['type'], clock: Clock) {
    this.#options = options
    this.#format = format
    this.#clock = clock
    this.#assembler = new Assembler(format, options.defaults, options.interpolate)
    this.#validate = validator(options.schema)
    this.#hooks = options.beforeApply.map((hook): BeforeApply<T> => inThisContext(hook))
  }

  /** @throws ConfigRejection, its issues with their origin and without secrets; ProconsulError when the signal is aborted */
  async apply(layers: readonly LayerDocuments[], version: number, signal: AbortSignal): Promise<AppliedConfig<T>> {
    const turn = this.#turn.then(() => this.#apply(layers, version, signal))
    this.#turn = turn.catch(() => undefined)
    return await turn
  }

  async #apply(layers: readonly LayerDocuments[], version: number, signal: AbortSignal): Promise<AppliedConfig<T>> {
    throwIfAborted(signal)
    const assembly = this.#assemble(layers)
    const origins = new Origins(assembly, this.#format)
    const redaction = new Redaction(this.#options.secrets, assembly.flows)
    try {
      const value = await this.#valueOf(assembly.tree, signal)
      throwIfAborted(signal)
      this.#last = { value }
      return { value, layers: assembly.layers, origins, redaction, version }
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

  async #valueOf(tree: TreeObject, signal: AbortSignal): Promise<T> {
    const previous = this.#last?.value
    const typed = await this.#bounded('the schema', signal, () => this.#validate(tree))
    const value = await guarded(() => settle(previous, typed))
    if (this.#last !== undefined && value === previous) return value
    for (const hook of this.#hooks) {
      await this.#bounded('a beforeApply hook', signal, async (hookSignal) => {
        await hook(value, { previous, signal: hookSignal })
      })
    }
    return value
  }

  /** What users' code returns, or its failure as an issue; so is that it does not settle in time. */
  async #bounded<R>(what: string, signal: AbortSignal, work: (signal: AbortSignal) => Promise<R>): Promise<R> {
    const { timeoutMs } = this.#options
    const onTimeout = (): ProconsulError =>
      new ProconsulError('PROCONSUL_TIMEOUT', `${what} did not settle within ${formatDuration(timeoutMs)}`)
    try {
      return await guarded(() => withDeadline({ clock: this.#clock, timeoutMs, signal, onTimeout }, work))
    } catch (error) {
      throw signal.aborted ? abortError(signal) : error
    }
  }
}

/** The issue with the key that its path comes from. */
function withOrigin(issue: ConfigIssue, origins: Origins): ConfigIssue {
  const segments = issue.path === undefined ? undefined : parsePath(issue.path)
  if (segments === undefined || issue.key !== undefined) return issue
  return { ...issue, ...origins.of(segments) }
}
