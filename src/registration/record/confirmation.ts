import { isProconsulError } from '../../errors/proconsul-error.js'
import type { ConsulParts } from './agent/consul-parts.js'
import type { Ownership } from './ownership.js'

/** What is looked for. */
export interface Instance {
  readonly id: string
  readonly name: string
}

/** So many answers at once, each without the instance, prove that it is gone where several agents answer. */
const LOOKS = 2

/** Whether the catalog lists an instance of this run no more among the passing ones. A look that failed proves nothing. */
export async function isGone(
  instance: Instance,
  owner: Ownership,
  parts: Pick<ConsulParts, 'health'>,
  signal: AbortSignal,
): Promise<boolean> {
  return await isUnlisted(instance, owner, parts, { passing: true, signal })
}

/**
 * The same where several agents have answered, each of which may have the record: every one that can be reached is told to forget it, and
 * it is looked for among those that do not pass as well.
 */
export async function isGoneEverywhere(
  instance: Instance,
  owner: Ownership,
  parts: Pick<ConsulParts, 'health' | 'services'>,
  signal: AbortSignal,
): Promise<boolean> {
  const twice = async <T>(work: () => Promise<T>): Promise<readonly T[]> =>
    await Promise.all(Array.from({ length: LOOKS }, work))
  // At the same time, so that they go over connections of their own.
  await twice(() => parts.services.deregister(instance.id, { signal, repeat: false }))
  const looks = await twice(() => isUnlisted(instance, owner, parts, { passing: false, signal }))
  return looks.every((isUnseen) => isUnseen)
}

async function isUnlisted(
  { id, name }: Instance,
  owner: Ownership,
  { health }: Pick<ConsulParts, 'health'>,
  { passing, signal }: { readonly passing: boolean; readonly signal: AbortSignal },
): Promise<boolean> {
  try {
    const { value } = await health.service(name, { passing, signal })
    return !value.some(({ service }) => service.id === id && owner.isOurs(service.meta))
  } catch (error) {
    // A token that may write the service but not read it cannot confirm anything.
    if (isProconsulError(error, 'PROCONSUL_PERMISSION_DENIED')) return true
    throw error
  }
}
