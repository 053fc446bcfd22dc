import type { ProconsulError } from '../../errors/proconsul-error.js'
import type { DeregisterOptions, ServiceDefinition } from '../definition/service-definition.js'
import type { ResolvedDefinition } from '../definition/resolve-definition.js'
import type { Boot } from '../identity/boot.js'
import type { RegistryRecord } from './record.js'

/** A registry, for all services of one client: the other half of the contract in record.ts, which says what one record has to do. */
export interface Registry {
  /**
   * The record of one service. Nothing is sent.
   * @throws ProconsulError `PROCONSUL_INVALID_OPTION` where this place is set up in a way that no service can be registered
   */
  open(definition: ResolvedDefinition, boot: Boot): RegistryRecord

  /**
   * Throws where the registry cannot make use of these checks.
   * @throws ProconsulError `PROCONSUL_INVALID_OPTION`
   */
  acceptChecks(checks: ResolvedDefinition['service']['checks']): void

  /**
   * Adds what only this place can tell, such as the address by which the service is reached, and keeps trying until it can. `onFailure`
   * hears of what failed.
   */
  complete(
    definition: ServiceDefinition,
    signal: AbortSignal,
    onFailure: (error: ProconsulError) => void,
  ): Promise<ServiceDefinition>

  /**
   * Rejects where the registry is known to refuse the definition.
   * @throws ProconsulError `PROCONSUL_INVALID_OPTION`
   */
  verify(definition: ResolvedDefinition, signal: AbortSignal): Promise<void>

  /** Removes whatever has the id. One that is not there is fine. */
  remove(id: string, options: Pick<DeregisterOptions, 'timeout' | 'signal'>): Promise<void>

  /** Calls the listener after the credentials have changed, under which the records are written; returns what stops that. */
  onCredentials(listener: () => void): () => void

  /** Ends every look at a record. */
  close(): void
}
