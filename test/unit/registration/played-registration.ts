import { resolveDefinition } from '../../../src/registration/definition/resolve-definition.js'
import type { ServiceDefinition } from '../../../src/registration/definition/service-definition.js'
import { BeatThread } from '../../../src/registration/heartbeat/thread/beat-thread.js'
import { formatBoot } from '../../../src/registration/identity/boot.js'
import type { HttpRequest } from '../../../src/http/request.js'
import type { RegistrationEvents } from '../../../src/registration/life/events.js'
import { Life } from '../../../src/registration/life/life.js'
import { Comparison } from '../../../src/registration/record/agent/comparison.js'
import { ConsulRecord } from '../../../src/registration/record/consul-record.js'
import type { RecordObserver } from '../../../src/registration/record/record.js'
import { Registration } from '../../../src/registration/registration.js'
import { metaOf, OWN, playedParts } from './played-agent.js'

/** A service with a TTL check that beats every three seconds. */
export const WEB: ServiceDefinition = { name: 'web', id: 'w', check: { ttl: '9s' } }
const EVENTS = ['registered', 'registerFailed', 'lost', 'restored', 'repaired', 'conflict', 'deregistered'] as const

/** A registration on a played agent that has not begun yet. With `isCompared` its record is compared with what the agent has, as in life. */
export function registering(definition: ServiceDefinition = WEB, isCompared = false) {
  const parts = playedParts()
  const { played: agent, clock, logger, token, runtime } = parts
  const resolved = resolveDefinition(definition, { hostname: 'here', boot: formatBoot(OWN) })
  const comparison = new Comparison(parts)
  /** What was begun and ended beside the requests. */
  const kept: string[] = []
  let observer: RecordObserver = () => undefined
  const observe = (record: ConsulRecord, heard: RecordObserver, closely: boolean) => {
    observer = heard
    kept.push(closely ? 'watch' : 'compare')
    if (isCompared) comparison.add(record, heard)
    return () => {
      kept.push('stop')
      comparison.remove(record)
    }
  }
  const record = new ConsulRecord(resolved, OWN, { ...parts, observe })
  const life: Life = new Life(definition, {
    runtime,
    boot: OWN,
    record,
    thread: new BeatThread(runtime, () => Promise.reject(new Error('no thread'))),
    complete: (given) => Promise.resolve({ definition: given, resolved }),
    acceptChecks: () => undefined,
    onEnd: () => {
      kept.push('end')
      comparison.close()
    },
  })
  const registration = new Registration(life, logger)
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
  /** Has the record inspected, and what follows from that happen. */
  const audit = async (): Promise<void> => {
    observer(undefined)
    await clock.advance(1)
  }
  /** The turns of events that operators were told. */
  const turns = (): readonly unknown[] => logger.entries.map(({ fields }) => fields['event']).filter(Boolean)
  return { life, registration, agent, clock, logger, token, kept, told, beats, agentShows, audit, turns }
}

function beatOf({ path, body }: HttpRequest): string {
  return `${decodeURIComponent(path.split('/').at(-1) ?? '')} ${(body as { readonly Status: string }).Status}`
}

/** One that the agent has. */
export async function registered(definition?: ServiceDefinition) {
  const played = registering(definition)
  await played.life.start({ giveUp: true })
  played.beats()
  return played
}
