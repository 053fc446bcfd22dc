import { parseDuration } from '../../core/duration.js'
import { checkBoolean, checkObject, checkOneOf } from '../../core/option-check.js'
import { invalidOption } from '../../errors/invalid-option.js'
import type { ServiceDefinition } from './service-definition.js'

/** {@link HeartbeatOptions} with every value decided, and when the thread is to tell of a blocked event loop. */
export interface ResolvedHeartbeat extends LagBounds {
  readonly thread: 'main' | 'worker'
  readonly keepAlive: boolean
}

/** From which lag on the event loop counts as degraded or down. */
export interface LagBounds {
  readonly warnAfterMs: number
  readonly criticalAfterMs: number
}

/** How a service beats, and what of its event loop it tells. */
export interface ResolvedBeats {
  readonly heartbeat: ResolvedHeartbeat
  /** Bounds of the probe of the event loop; undefined where there is none. */
  readonly eventLoop: LagBounds | undefined
}

/** Every default, with its reason. */
export const HEARTBEAT_DEFAULTS = Object.freeze({
  /** People begin to notice. */
  probeWarnMs: 200,
  /** Longer than a garbage collection, shorter than any patience. */
  threadWarnMs: 1_000,
  /** As long as a supervisor commonly waits before it restarts what does not answer. */
  criticalMs: 30_000,
})

/** The loop is looked at ten times a second. */
const SHORTEST_LAG_MS = 100

/**
 * Decides and checks `heartbeat` and `eventLoop`. The bounds are for a probe, or for the heartbeat thread, which always tells of a block.
 * @throws ProconsulError `PROCONSUL_INVALID_OPTION`
 */
export function resolveHeartbeat({
  heartbeat = {},
  eventLoop = false,
}: Pick<ServiceDefinition, 'heartbeat' | 'eventLoop'>): ResolvedBeats {
  for (const name of ['warnAfter', 'criticalAfter']) {
    if (!(name in Object(heartbeat))) continue
    const value: unknown = Reflect.get(Object(heartbeat), name)
    throw invalidOption(`heartbeat.${name}`, value, `it in \`eventLoop: { ${name} }\`, which counts for either thread`)
  }
  const given = checkObject('heartbeat', heartbeat, ['thread', 'keepAlive'])
  const thread = checkOneOf('heartbeat.thread', given['thread'] ?? 'main', ['main', 'worker'])
  const keepAlive = checkBoolean('heartbeat.keepAlive', given['keepAlive'] ?? true)
  const bounds = resolveLag(eventLoop)
  // The thread tells of a block while it lasts. A probe would tell of the same one once more, when it is over.
  const hasProbe = eventLoop !== false && thread === 'main'
  return { heartbeat: { thread, keepAlive, ...bounds }, eventLoop: hasProbe ? bounds : undefined }
}

function resolveLag(eventLoop: unknown): LagBounds {
  const given =
    typeof eventLoop === 'boolean' ? {} : checkObject('eventLoop', eventLoop, ['warnAfter', 'criticalAfter'])
  const { probeWarnMs, threadWarnMs, criticalMs } = HEARTBEAT_DEFAULTS
  const warnAfterMs = parseDuration(
    'eventLoop.warnAfter',
    given['warnAfter'] ?? (eventLoop === false ? threadWarnMs : probeWarnMs),
    { minMs: SHORTEST_LAG_MS },
  )
  const criticalAfter = given['criticalAfter'] ?? Math.max(criticalMs, warnAfterMs)
  return {
    warnAfterMs,
    criticalAfterMs: parseDuration('eventLoop.criticalAfter', criticalAfter, { minMs: warnAfterMs }),
  }
}
