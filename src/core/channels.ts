import { channel, type Channel } from 'node:diagnostics_channel'
import type { LogFields, Logger } from './logger.js'

/**
 * The turns of events that operators see. Each is one log line at the level given here, and one message on the diagnostics channel
 * `proconsul:<name>` (https://nodejs.org/api/diagnostics_channel.html); docs/reference/logging.md lists them with their fields. A try
 * that fails is not a turn of events: it is logged for debugging, and told where it begins and where it ends.
 */
export const TURNS_OF_EVENTS = Object.freeze({
  /** A registration is at the agent for the first time. */
  registered: 'info',
  /** It could not be registered for a while, and goes on trying. */
  'register-failing': 'warn',
  /** The agent refuses to register it. */
  refused: 'warn',
  /** A registered service is not at the agent any more, or another process has its id. */
  lost: 'warn',
  restored: 'info',
  repaired: 'info',
  /** Another process that lives has registered the same id. */
  conflict: 'warn',
  /** A service, or one of its probes, became critical, passing or warning. */
  critical: 'warn',
  warning: 'warn',
  passing: 'info',
  'heartbeat-failing': 'warn',
  'heartbeat-recovered': 'info',
  'agent-changed': 'warn',
  deregistered: 'info',
  /** What could not be removed from the registry at the end. */
  'left-behind': 'warn',
  /** What is followed cannot be read any more, or is in doubt. */
  stale: 'warn',
  recovered: 'info',
  /** What is followed has not been read yet. */
  unreadable: 'warn',
  /** The configuration waits for layers that must be there. */
  'layers-missing': 'warn',
  /** A state of the configuration is not acceptable; the last good one stays. */
  rejected: 'warn',
  applied: 'info',
  /** A saved state is used because nothing newer can be read. */
  'started-from-cache': 'warn',
  /** The defaults are used because nothing can be read, and nothing was saved. */
  'started-from-defaults': 'warn',
  'cache-failed': 'warn',
  'credentials-changed': 'info',
  'credentials-unusable': 'warn',
  /** An instance is not called for a while because calls to it fail, and is called again. */
  ejected: 'warn',
  returned: 'info',
  /** So many instances are ejected that all are called; and not any more. */
  panic: 'warn',
  'panic-over': 'info',
  'shutdown-begun': 'info',
  'shutdown-done': 'info',
  /** The process ends before its shutdown is done. */
  'shutdown-cut-short': 'warn',
  'hook-failed': 'error',
} as const satisfies Record<string, keyof Logger>)

/** The name of a turn of events. */
export type TurnOfEvents = keyof typeof TURNS_OF_EVENTS

const channels = new Map<TurnOfEvents, Channel>()

/** Tells of a turn of events: in the log, and on its channel. `fields` hold no secret; a failure is under `err`. */
export function tell(logger: Logger, name: TurnOfEvents, fields: LogFields, message: string): void {
  logger[TURNS_OF_EVENTS[name]]({ event: name, ...fields }, message)
  const known = channels.get(name) ?? channel(`proconsul:${name}`)
  channels.set(name, known)
  if (known.hasSubscribers) known.publish({ event: name, ...fields, message })
}
