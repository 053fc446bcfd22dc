import { ProconsulError } from '../../src/errors/proconsul-error.js'
import type { HealthStatus } from '../../src/registration/definition/health-status.js'
import type { ResolvedDefinition } from '../../src/registration/definition/resolve-definition.js'
import type { ServiceDefinition } from '../../src/registration/definition/service-definition.js'
import { isAlive, type Boot } from '../../src/registration/identity/boot.js'
import type {
  BeatReport,
  RecordObserver,
  RecordVerdict,
  RecordWrite,
  RegistryRecord,
  Replacement,
} from '../../src/registration/record/record.js'
import type { Registry } from '../../src/registration/record/registry.js'

/** What the registry holds of one service. */
interface Entry {
  service: ResolvedDefinition['service']
  boot: Boot
  status: HealthStatus
  isInMaintenance: boolean
}

/** The state of a registry in memory, which clients share as they share a Consul. */
export class MemoryStore {
  readonly entries = new Map<string, Entry>()
  readonly #observers = new Set<() => void>()

  /** Ids of the services of a name that are found. */
  found(name: string): readonly string[] {
    const found = [...this.entries].filter(
      ([, { service, status, isInMaintenance }]) => service.name === name && status !== 'critical' && !isInMaintenance,
    )
    return found.map(([id]) => id)
  }

  /** Loses a record, as a registry without a disk does when it restarts. */
  forget(id: string): void {
    this.entries.delete(id)
    this.tell()
  }

  tell(): void {
    for (const observer of this.#observers) queueMicrotask(observer)
  }

  observe(observer: () => void): () => void {
    this.#observers.add(observer)
    return () => void this.#observers.delete(observer)
  }
}

/** A registry in one file that knows nothing of Consul: the proof that the life of a registration needs none. */
export class MemoryRegistry implements Registry {
  readonly #store: MemoryStore

  constructor(store: MemoryStore) {
    this.#store = store
  }

  open(definition: ResolvedDefinition, boot: Boot): RegistryRecord {
    return new MemoryRecord(this.#store, definition, boot)
  }

  acceptChecks(): void {
    return undefined
  }

  complete(definition: ServiceDefinition): Promise<ServiceDefinition> {
    return Promise.resolve(definition)
  }

  verify(): Promise<void> {
    return Promise.resolve()
  }

  remove(id: string): Promise<void> {
    this.#store.forget(id)
    return Promise.resolve()
  }

  onCredentials(): () => void {
    return () => undefined
  }

  close(): void {
    return undefined
  }
}

class MemoryRecord implements RegistryRecord {
  readonly #store: MemoryStore
  readonly #boot: Boot
  #isInMaintenance = false
  definition: ResolvedDefinition
  mayBeThere = false
  readonly activeStatuses = []
  readonly split = undefined

  constructor(store: MemoryStore, definition: ResolvedDefinition, boot: Boot) {
    this.#store = store
    this.#boot = boot
    this.definition = definition
  }

  revise(definition: ResolvedDefinition): void {
    this.definition = definition
  }

  async put({ status }: RecordWrite, signal: AbortSignal): Promise<void> {
    await answer(signal)
    this.mayBeThere = true
    const { service } = this.definition
    this.#store.entries.set(this.#id, { service, boot: this.#boot, status, isInMaintenance: this.#isInMaintenance })
    this.#store.tell()
  }

  async replace(next: ResolvedDefinition, { status, onTaken }: Replacement, signal: AbortSignal): Promise<void> {
    await answer(signal)
    this.definition = next
    await this.put({ status }, signal)
    await onTaken()
  }

  async beat({ status }: BeatReport, signal: AbortSignal): Promise<void> {
    await answer(signal)
    const entry = this.#store.entries.get(this.#id)
    if (entry === undefined) throw new ProconsulError('PROCONSUL_NOT_FOUND', `${this.#id} is not registered`)
    entry.status = status
  }

  beatRequest(): undefined {
    return undefined
  }

  async inspect(signal: AbortSignal): Promise<RecordVerdict> {
    const by = await this.holder(signal)
    if (by !== undefined) return { type: 'taken', by }
    const entry = this.#store.entries.get(this.#id)
    if (entry === undefined) return { type: 'gone' }
    const fields = [
      ...(entry.boot.runId === this.#boot.runId ? [] : ['boot']),
      ...(entry.service === this.definition.service ? [] : ['service']),
      ...(entry.isInMaintenance === this.#isInMaintenance ? [] : ['maintenance']),
    ]
    return fields.length === 0 ? { type: 'right' } : { type: 'drifted', fields }
  }

  async holder(signal: AbortSignal): Promise<Boot | undefined> {
    await answer(signal)
    const boot = this.#store.entries.get(this.#id)?.boot
    const isRival = boot !== undefined && boot.runId !== this.#boot.runId && isAlive(boot, this.#boot) !== false
    return isRival ? boot : undefined
  }

  async remove(signal: AbortSignal): Promise<void> {
    if (this.mayBeThere && (await this.holder(signal)) === undefined) this.#store.forget(this.#id)
  }

  async confirmGone(signal: AbortSignal): Promise<boolean> {
    await answer(signal)
    return this.#store.entries.get(this.#id)?.boot.runId !== this.#boot.runId
  }

  async maintenance(enable: boolean, _reason: string | undefined, signal: AbortSignal): Promise<void> {
    await answer(signal)
    this.#isInMaintenance = enable
    const entry = this.#store.entries.get(this.#id)
    if (entry !== undefined) entry.isInMaintenance = enable
  }

  sweep(): Promise<void> {
    return Promise.resolve()
  }

  observe(observer: RecordObserver): () => void {
    return this.#store.observe(() => observer(undefined))
  }

  get #id(): string {
    return this.definition.service.id
  }
}

/** A registry never answers in the same turn. */
async function answer(signal: AbortSignal): Promise<void> {
  await Promise.resolve()
  signal.throwIfAborted()
}
