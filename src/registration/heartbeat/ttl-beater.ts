import type { Runtime } from '../../core/runtime.js'
import type { ServiceHealth } from '../health/service-health.js'
import { BEATS_PER_TTL, type RegistryRecord } from '../record/record.js'
import type { BeatThread } from './thread/beat-thread.js'
import { Heartbeat, type Beater, type HeartbeatParts } from './heartbeat.js'
import { WorkerHeartbeat } from './worker-heartbeat.js'

/** What heartbeats are sent with. */
export interface TtlBeaterParts {
  readonly runtime: Runtime
  readonly record: RegistryRecord
  readonly thread: BeatThread
}

/** What keeps the TTL check of a service alive with the results of its probes; undefined where it has none. */
export function ttlBeater(
  { runtime, record, thread }: TtlBeaterParts,
  health: ServiceHealth,
  listeners: Pick<HeartbeatParts, 'onBeat' | 'onFailure'>,
): Beater | undefined {
  const { ttl, heartbeat } = record.definition
  if (ttl === undefined) return undefined
  const intervalMs = ttl.ttlMs / BEATS_PER_TTL
  const shared = { ...listeners, runtime, intervalMs, keepAlive: heartbeat.keepAlive }
  const request = heartbeat.thread === 'worker' ? record.beatRequest() : undefined
  if (request !== undefined) {
    return new WorkerHeartbeat({ ...shared, key: ttl.checkId, request, heartbeat, report: () => health.report }, thread)
  }
  return new Heartbeat({
    ...shared,
    send: async (signal) => {
      const { report } = health
      await record.beat(report, signal)
      return report.status
    },
  })
}
