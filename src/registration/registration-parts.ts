import type { CheckRegistration } from '../api/agent-check.js'
import type { ResolvedDefinition } from './definition/resolve-definition.js'
import type { Report } from './health/service-health.js'
import type { Beater, HeartbeatParts } from './heartbeat/heartbeat.js'
import type { RecordKeeper, RecordParts } from './record/record-keeper.js'

/** What a registration works with. */
export interface RegistrationParts extends RecordParts {
  readonly record: RecordKeeper
  /** Throws when the service cannot be given these checks. */
  acceptChecks(checks: readonly CheckRegistration[]): void
  /** Makes what sends the heartbeats: on this thread or on another. */
  readonly makeBeater: (parts: BeaterParts) => Beater
  /** Calls `onChange` when the agent's record of the service changes, until the returned function is called. */
  watchRecord(id: string, onChange: () => void): () => void
  /** The agent has the service for the first time: from now on it is to be guarded. */
  onKeep(): void
  /** The registration has ended for good. */
  onEnd(): void
}

/** What a beater may need beside the heartbeat itself. */
export interface BeaterParts extends HeartbeatParts {
  readonly checkId: string
  readonly heartbeat: ResolvedDefinition['heartbeat']
  /** What to send. */
  report(): Report
}
