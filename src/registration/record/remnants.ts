import type { AgentServiceApi } from '../../api/agent-service.js'
import type { ServiceRecord } from '../../api/health-entry.js'
import type { Runtime } from '../../core/runtime.js'
import type { ResolvedDefinition } from '../definition/resolve-definition.js'
import type { Ownership } from './ownership.js'

/** What remnants are swept with. */
export interface RemnantParts {
  readonly runtime: Runtime
  readonly services: AgentServiceApi
}

/** Removes what dead runs on this host left under other ids, for the same name, address and port. Never rejects. */
export async function sweepRemnants(
  { service }: ResolvedDefinition,
  owner: Ownership,
  parts: RemnantParts,
  signal: AbortSignal,
): Promise<void> {
  try {
    const others = await parts.services.list({ filter: `Service == ${JSON.stringify(service.name)}`, signal })
    const dead = others.filter(({ id, address, port, meta }) => {
      const isSamePlace = address === (service.address ?? '') && port === (service.port ?? 0)
      return id !== service.id && isSamePlace && owner.isDead(meta)
    })
    await Promise.all(dead.map((remnant) => remove(remnant, parts, signal)))
  } catch (error) {
    parts.runtime.logger.debug({ id: service.id, err: error }, 'what dead processes left could not be removed')
  }
}

/** The agent tells the servers with the token of a registration, and that of a dead run may have ended with it: so it gets ours before. */
async function remove(
  { id, name, address, port, tags, meta }: ServiceRecord,
  { services, runtime }: RemnantParts,
  signal: AbortSignal,
): Promise<void> {
  await services.register({ id, name, address, port, tags, meta }, { signal })
  await services.deregister(id, { signal })
  runtime.logger.info({ id }, 'removed what a dead process had left registered')
}
