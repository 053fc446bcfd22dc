import { resolveDefinition } from '../../../src/registration/definition/resolve-definition.js'
import type { ServiceDefinition } from '../../../src/registration/definition/service-definition.js'
import { Heartbeat } from '../../../src/registration/heartbeat/heartbeat.js'
import { formatBoot } from '../../../src/registration/identity/boot.js'
import type { HttpRequest } from '../../../src/http/request.js'
import { RecordKeeper } from '../../../src/registration/record/record-keeper.js'
import { Registration } from '../../../src/registration/registration.js'
import { RegistrationGuard } from '../../../src/registration/registration-guard.js'
import type { RegistrationEvents } from '../../../src/registration/registration-events.js'
import { metaOf, OWN, playedParts } from './played-agent.js'

/** A service with a TTL check that beats every three seconds. */
export const WEB: ServiceDefinition = { name: 'web', id: 'w', check: { ttl: '9s' } }
const EVENTS = ['registered', 'registerFailed', 'lost', 'restored', 'repaired', 'conflict', 'deregistered'] as const

/** A registration on a played agent that has not begun yet. With `isGuarded` it is compared with what the agent has, as in life. */
export function registering(definition: ServiceDefinition = WEB, isGuarded = false) {
  const parts = playedParts()
  const { agent, clock, logger, token } = parts
  const resolved = resolveDefinition(definition, { hostname: 'here', boot: formatBoot(OWN) })
  const record = new RecordKeeper(resolved, parts)
  const guard = new RegistrationGuard(parts)
  /** What was begun and ended beside the requests. */
  const kept: string[] = []
  const registration: Registration = new Registration(definition, {
    ...parts,
    record,
    acceptChecks: () => undefined,
    makeBeater: (beat) => new Heartbeat(beat),
    watchRecord: () => {
      kept.push('watch')
      return () => kept.push('unwatch')
    },
    onKeep: () => {
      kept.push('keep')
      if (isGuarded) guard.add({ registration, record })
    },
    onEnd: () => {
      kept.push('end')
      guard.close()
    },
  })
  const told: string[] = []
  for (const name of EVENTS satisfies readonly (keyof RegistrationEvents)[])
    registration.on(name, () => told.push(name))
  /** The checks that got a heartbeat, with its status, since the last call. */
  let counted = 0
  const beats = (): readonly string[] => {
    const all = agent.sent('agent.check.update').map(beatOf)
    const fresh = all.slice(counted)
    counted = all.length
    return fresh
  }
  /** The agent shows the service as it is, but for these facts. */
  const agentShows = (facts: object = {}): void => {
    agent.answers('agent.service', { body: { ID: 'w', Service: 'web', Meta: metaOf(OWN), ...facts } })
    const { service } = record.definition
    const checks = service.checks.map(({ id, name, type }) => [
      id,
      { CheckID: id, Name: name, Type: type, ServiceID: 'w', Status: 'passing' },
    ])
    agent.answers('agent.checks', { body: Object.fromEntries(checks) })
  }
  return { registration, agent, clock, logger, token, kept, told, beats, agentShows }
}

function beatOf({ path, body }: HttpRequest): string {
  return `${decodeURIComponent(path.split('/').at(-1) ?? '')} ${(body as { readonly Status: string }).Status}`
}

/** One that the agent has. */
export async function registered(definition?: ServiceDefinition) {
  const played = registering(definition)
  await played.registration.start({ giveUp: true })
  played.beats()
  return played
}
