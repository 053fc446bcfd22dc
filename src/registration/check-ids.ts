import { ProconsulError } from '../errors/proconsul-error.js'
import type { ResolvedDefinition } from './definition/resolve-definition.js'
import type { RegistryRecord } from './record/record.js'

type Holder = Pick<RegistryRecord, 'definition'>
type Checks = ResolvedDefinition['service']['checks']

/** Which registration of a client has which checks: a registry knows the id of a check once, whatever the service. */
export class CheckIds {
  /** With what each was asked to have last: the registry may have taken an update that failed. */
  readonly #asked = new Map<Holder, Checks>()

  /**
   * Gives a registration the checks that it has, or is to have.
   * @throws ProconsulError `PROCONSUL_CONFLICT` when another registration has one of them
   */
  take(holder: Holder, checks: Checks): void {
    for (const [other, asked] of this.#asked) {
      if (other === holder) continue
      const { id, checks: had } = other.definition.service
      const taken = new Set([...had, ...asked].map((check) => check.id))
      const shared = checks.find((check) => taken.has(check.id))
      if (shared === undefined) continue
      const message = `this client has a check with the id ${shared.id} already, of ${id}; give each check an id of its own`
      throw new ProconsulError('PROCONSUL_CONFLICT', message)
    }
    this.#asked.set(holder, checks)
  }

  release(holder: Holder): void {
    this.#asked.delete(holder)
  }
}
