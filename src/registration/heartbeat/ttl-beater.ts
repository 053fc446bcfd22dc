import type { ResolvedDefinition } from '../definition/resolve-definition.js'
import type { ServiceHealth } from '../health/service-health.js'
import type { RegistrationParts } from '../registration-parts.js'
import type { Beater, HeartbeatParts } from './heartbeat.js'

/** What keeps the TTL check of a service alive with the results of its probes; undefined where it has none. */
export function ttlBeater(
  { runtime, checks, makeBeater }: Pick<RegistrationParts, 'runtime' | 'checks' | 'makeBeater'>,
  { ttl, heartbeat }: ResolvedDefinition,
  health: ServiceHealth,
  listeners: Pick<HeartbeatParts, 'onBeat' | 'onFailure'>,
): Beater | undefined {
  if (ttl === undefined) return undefined
  const intervalMs = ttl.ttlMs / 3
  return makeBeater({
    ...listeners,
    runtime,
    checkId: ttl.checkId,
    intervalMs,
    keepAlive: heartbeat.keepAlive,
    heartbeat,
    report: () => health.report,
    send: async (signal) => {
      const { status, output } = health.report
      await checks.update(ttl.checkId, status, output, { timeout: intervalMs, signal })
      return status
    },
  })
}
