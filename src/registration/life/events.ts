import type { ProconsulError } from '../../errors/proconsul-error.js'
import type { HealthStatus } from '../definition/health-status.js'
import type { RegistrationHealth } from '../health/probe-board.js'
import type { Boot } from '../identity/boot.js'

/** What a registration tells. */
export interface RegistrationEvents {
  /** The registry has the service for the first time. Not heard by those who listen after `registerService` has resolved. */
  readonly registered: []
  /** The registry could not be told of the service, or of what it is to have of it now; it is tried again. */
  readonly registerFailed: [error: ProconsulError]
  /** The registry does not know the service any more, or another process took its id over. It is registered again unless it was taken. */
  readonly lost: [details: LostDetails]
  /** The registry knows the service again, and its health has been sent. */
  readonly restored: [details: { readonly lostForMs: number }]
  /** Others had changed the record; it is as it was. */
  readonly repaired: [details: { readonly fields: readonly string[] }]
  /** The result of a probe changed, or the status of the whole. `health` is what `registration.health` is from now on. */
  readonly health: [health: RegistrationHealth, previous: RegistrationHealth]
  /** The registry has accepted a heartbeat. */
  readonly heartbeat: [details: HeartbeatDetails]
  /** A heartbeat was not answered, or refused. The next one follows in time. One that timed out may have counted. */
  readonly heartbeatFailed: [error: ProconsulError]
  /** Another live process has registered the same id. The newer one keeps it. */
  readonly conflict: [details: ConflictDetails]
  /** The service has left, and it will not be registered again. */
  readonly deregistered: []
}

/** The names of {@link RegistrationEvents}. */
export const REGISTRATION_EVENTS = Object.freeze([
  'registered',
  'registerFailed',
  'lost',
  'restored',
  'repaired',
  'health',
  'heartbeat',
  'heartbeatFailed',
  'conflict',
  'deregistered',
] as const satisfies readonly (keyof RegistrationEvents)[])

/** Why a registration was lost. */
export interface LostDetails {
  readonly reason: 'forgotten' | 'taken'
  readonly message: string
}

/** One heartbeat. */
export interface HeartbeatDetails {
  readonly status: HealthStatus
  readonly durationMs: number
}

/** Who has the id. */
export interface ConflictDetails {
  readonly id: string
  readonly other: Boot
  /** Whether this process keeps the id: the one that registered last does. */
  readonly isOurs: boolean
}

/** Tells the listeners of a registration. */
export type Emit = <Name extends keyof RegistrationEvents>(name: Name, ...args: RegistrationEvents[Name]) => void
