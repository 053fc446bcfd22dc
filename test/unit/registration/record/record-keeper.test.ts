import { describe, expect, it } from 'vitest'
import type { SettableStatus } from '../../../../src/api/agent-check.js'
import { checkEntry, serviceRecord } from '../../../../src/api/health-entry.js'
import type { HttpRequest } from '../../../../src/http/request.js'
import { resolveDefinition } from '../../../../src/registration/definition/resolve-definition.js'
import type { ServiceDefinition } from '../../../../src/registration/definition/service-definition.js'
import { formatBoot } from '../../../../src/registration/identity/boot.js'
import { RecordKeeper, type Replacement } from '../../../../src/registration/record/record-keeper.js'
import { settle } from '../../../support/fake-clock.js'
import { CONTAINED, DEAD, failure, FAR, LIVE, metaOf, OWN, playedParts } from '../played-agent.js'

const HTTP = { type: 'http', url: 'http://10.0.0.1/', id: 'h', name: 'h' } as const
const TCP = { type: 'tcp', address: '10.0.0.1:80', id: 'h', name: 'h' } as const
const WEB: ServiceDefinition = { name: 'web', id: 'w', port: 80, checks: [{ id: 't', name: 't' }, HTTP] }
/** What the agent shows of it. */
const RECORD = { ID: 'w', Service: 'web', Port: 80, Meta: metaOf(OWN) }
const CHECKS = {
  t: { CheckID: 't', Name: 't', ServiceID: 'w', Type: 'ttl', Status: 'passing' },
  h: { CheckID: 'h', Name: 'h', ServiceID: 'w', Type: 'http', Status: 'warning' },
}

function resolve(definition: ServiceDefinition) {
  return resolveDefinition(definition, { hostname: 'here', boot: formatBoot(OWN) })
}

function keeping(definition: ServiceDefinition = WEB) {
  const parts = playedParts()
  const record = new RecordKeeper(resolve(definition), parts)
  const { signal } = new AbortController()
  const judge = (shown: object = RECORD, checks: object = CHECKS) =>
    record.judge(serviceRecord(shown), Object.values(checks).map(checkEntry))
  return { ...parts, record, signal, judge }
}

/** How a definition is replaced: the status of a TTL check, and of others that are new. */
function as(status: SettableStatus, fresh: SettableStatus, more: Partial<Replacement> = {}): Replacement {
  return { status, fresh, fullWeight: false, onTaken: () => Promise.resolve(), ...more }
}

/** Ids and statuses of the checks in a registration. */
function statuses(request: HttpRequest | undefined): unknown {
  const { Checks } = request?.body as { readonly Checks: readonly { CheckID: string; Status?: string }[] }
  return Object.fromEntries(Checks.map(({ CheckID, Status }) => [CheckID, Status]))
}

/** What was written, such as `register` and `check h`, in order. */
function writes(requests: readonly HttpRequest[]): readonly string[] {
  return requests
    .filter(({ method }) => method === 'PUT')
    .map(({ operation, path }) =>
      operation === 'agent.check.deregister' ? `check ${path.split('/').at(-1)}` : (operation.split('.').at(-1) ?? ''),
    )
}

describe('writing a record', () => {
  it('waits for the write before it, so that none overtakes another, and for a failed one as well', async () => {
    const { agent, record, signal } = keeping()
    const release = agent.hold('agent.service.register', failure('PROCONSUL_UNAVAILABLE'))
    const first = expect(record.put('passing', signal)).rejects.toMatchObject({ code: 'PROCONSUL_UNAVAILABLE' })
    const rest = [record.maintenance(true, 'why', signal), record.inspect(signal), record.put('warning', signal)]
    await settle()
    expect(writes(agent.requests)).toEqual(['register'])
    release()
    await Promise.all([first, ...rest])
    const own = ['agent.service.maintenance', 'agent.service', 'agent.service.register', 'agent.service.maintenance']
    expect(agent.operations.slice(-4)).toEqual(own)
  })

  it('gives TTL checks the status of the service, and others the one that was last seen', async () => {
    const { agent, record, signal, judge } = keeping()
    await record.put('passing', signal)
    expect(statuses(agent.sent('agent.service.register')[0])).toEqual({ t: 'passing', h: undefined })
    judge()
    await record.put('critical', signal)
    expect(statuses(agent.sent('agent.service.register')[1])).toEqual({ t: 'critical', h: 'warning' })
  })

  it('leaves the status of an alias check to the agent', async () => {
    const { agent, record, signal, judge } = keeping({ ...WEB, checks: [{ type: 'alias', service: 'o', id: 'a' }] })
    judge(RECORD, { a: { CheckID: 'a', ServiceID: 'w', Type: 'alias', Status: 'passing' } })
    await record.put('critical', signal)
    expect(statuses(agent.sent('agent.service.register')[0])).toEqual({ a: undefined })
  })

  it('sends the weight of a slow start in place of the full one', async () => {
    const { agent, record, signal } = keeping({ ...WEB, weights: { passing: 9, warning: 2 } })
    record.weight = 3
    await record.put('passing', signal)
    record.weight = undefined
    await record.put('passing', signal)
    const weights = agent.sent('agent.service.register').map(({ body }) => (body as { Weights: unknown }).Weights)
    expect(weights).toEqual([
      { Passing: 3, Warning: 2 },
      { Passing: 9, Warning: 2 },
    ])
  })

  it('counts as there from the first write on, unless that found nobody', async () => {
    const { agent, record, signal } = keeping()
    agent.answers('agent.service.register', failure('PROCONSUL_UNAVAILABLE', 'ECONNREFUSED'))
    await expect(record.put('passing', signal)).rejects.toMatchObject({ code: 'PROCONSUL_UNAVAILABLE' })
    expect(record.mayBeThere).toBe(false)
    agent.answers('agent.service.register', failure('PROCONSUL_UNAVAILABLE', 'ECONNRESET'))
    await expect(record.put('passing', signal)).rejects.toMatchObject({ code: 'PROCONSUL_UNAVAILABLE' })
    expect(record.mayBeThere).toBe(true)
    agent.answers('agent.service.register', failure('PROCONSUL_UNAVAILABLE', 'ECONNREFUSED'))
    await expect(record.put('passing', signal)).rejects.toMatchObject({ code: 'PROCONSUL_UNAVAILABLE' })
    expect(record.mayBeThere).toBe(true)
  })
})

describe('a check of another kind', () => {
  const STRANGE = { ...CHECKS, h: { ...CHECKS.h, Type: 'tcp', Status: 'critical' } }

  it('is ended before the record is written, and does not pass its status on', async () => {
    const { agent, record, signal, judge } = keeping()
    await record.put('passing', signal)
    judge()
    expect(judge(RECORD, STRANGE)).toEqual({ type: 'drifted', fields: ['check h type'] })
    expect(record.activeStatuses).toEqual(['warning'])
    await record.put('passing', signal)
    expect(writes(agent.requests)).toEqual(['register', 'check h', 'register'])
    expect(statuses(agent.sent('agent.service.register')[1])).toEqual({ t: 'passing', h: 'warning' })
    await record.put('passing', signal)
    expect(writes(agent.requests)).toEqual(['register', 'check h', 'register', 'register'])
  })

  it('is tried to be ended again when that failed', async () => {
    const { agent, record, signal, judge } = keeping()
    await record.put('passing', signal)
    judge(RECORD, STRANGE)
    agent.answers('agent.check.deregister', failure('PROCONSUL_UNAVAILABLE'), {})
    await expect(record.put('passing', signal)).rejects.toMatchObject({ code: 'PROCONSUL_UNAVAILABLE' })
    await record.put('passing', signal)
    expect(writes(agent.requests)).toEqual(['register', 'check h', 'check h', 'register'])
  })

  it('of an earlier run is looked for before the first write, where the id is known already', async () => {
    const { agent, record, signal } = keeping()
    agent.answers('agent.service', { body: RECORD })
    const tooMany = { CheckID: 'service:w:2', ServiceID: 'w', Type: 'ttl' }
    const surplus = { h: STRANGE.h, 'service:w:2': tooMany }
    agent.answers('agent.checks', { body: { ...STRANGE, ...surplus } }, { body: surplus })
    await record.holder(signal)
    await record.put('passing', signal)
    await record.put('passing', signal)
    // Under the token of today, for that of the earlier run may be revoked: then the servers would go on listing them.
    const takenOver = agent.sent('agent.check.register').map(({ body }) => body)
    expect(takenOver).toMatchObject([{ ID: 'h' }, { ID: 'service:w:2' }])
    expect(writes(agent.requests).slice(2)).toEqual(['check h', 'check service%3Aw%3A2', 'register', 'register'])
    expect(agent.sent('agent.checks').map(({ query }) => query)).toMatchObject([
      { filter: 'ServiceID == "w" or CheckID == "t" or CheckID == "h"' },
      { filter: 'CheckID == "h" or CheckID == "service:w:2"' },
    ])
  })

  it('stays when it is a maintenance, which is told', async () => {
    const { agent, logger, record, signal } = keeping()
    const id = '_service_maintenance:w'
    const maintenance = { [id]: { CheckID: id, ServiceID: 'w', Type: 'maintenance', Notes: 'migration' } }
    agent.answers('agent.service', { body: RECORD })
    agent.answers('agent.checks', { body: { ...CHECKS, ...maintenance } })
    await record.put('passing', signal)
    await record.put('passing', signal)
    expect(writes(agent.requests)).toEqual(['register', 'register'])
    expect(logger.entries.filter(({ level }) => level === 'warn')).toEqual([
      {
        level: 'warn',
        fields: { id: 'w', reason: 'migration' },
        message: expect.stringMatching(/in maintenance/) as string,
      },
    ])
  })

  it('is not looked for where the agent does not know the id', async () => {
    const { agent, record, signal } = keeping()
    await record.holder(signal)
    await record.put('passing', signal)
    expect(agent.operations).toEqual(['agent.service', 'agent.service.register'])
  })

  it('is left unknown when the token may not look, and looked for again after what may pass', async () => {
    const { agent, record, signal } = keeping()
    agent.answers(
      'agent.checks',
      failure('PROCONSUL_UNAVAILABLE', 'ECONNREFUSED'),
      failure('PROCONSUL_PERMISSION_DENIED'),
    )
    await expect(record.put('passing', signal)).rejects.toMatchObject({ code: 'PROCONSUL_UNAVAILABLE' })
    expect(record.mayBeThere).toBe(false)
    await record.put('passing', signal)
    await record.put('passing', signal)
    expect(agent.operations).toEqual([
      'agent.checks',
      'agent.checks',
      'agent.service.register',
      'agent.service.register',
    ])
  })
})

describe('replacing a definition', () => {
  it('keeps the statuses of checks that stay, and gives the new ones a fresh one', async () => {
    const { agent, record, signal, judge } = keeping()
    await record.put('passing', signal)
    judge()
    const next = resolve({ ...WEB, checks: [...(WEB.checks ?? []), { ...TCP, id: 'n', name: 'n' }] })
    await record.replace(next, as('passing', 'critical'), signal)
    expect(record.definition).toBe(next)
    expect(statuses(agent.sent('agent.service.register')[1])).toEqual({ t: 'passing', h: 'warning', n: 'critical' })
    expect(record.activeStatuses).toEqual(['warning', 'critical'])
  })

  it('removes the checks that are left over, and only then', async () => {
    const { agent, record, signal } = keeping()
    await record.put('passing', signal)
    await record.replace(resolve({ ...WEB, checks: [{ id: 'new' }] }), as('passing', 'passing'), signal)
    expect(writes(agent.requests)).toEqual(['register', 'register', 'check t', 'check h'])
  })

  it('ends a check whose kind changes once the agent has accepted the new one', async () => {
    const { agent, record, signal, judge } = keeping()
    await record.put('passing', signal)
    judge()
    await record.replace(resolve({ ...WEB, checks: [{ id: 't', name: 't' }, TCP] }), as('passing', 'passing'), signal)
    expect(writes(agent.requests)).toEqual(['register', 'register', 'check h', 'register'])
    expect(statuses(agent.sent('agent.service.register')[2])).toEqual({ t: 'passing', h: 'passing' })
    await record.put('passing', signal)
    expect(writes(agent.requests).slice(4)).toEqual(['register'])
  })

  it('leaves all as it was when the agent refuses', async () => {
    const { agent, record, signal } = keeping()
    await record.put('passing', signal)
    const before = record.definition
    agent.answers('agent.service.register', failure('PROCONSUL_PERMISSION_DENIED'), {})
    const replacing = record.replace(resolve({ ...WEB, checks: [TCP] }), as('passing', 'passing'), signal)
    await expect(replacing).rejects.toMatchObject({ code: 'PROCONSUL_PERMISSION_DENIED' })
    expect(record.definition).toBe(before)
    expect(writes(agent.requests)).toEqual(['register', 'register'])
    await record.put('passing', signal)
    expect(statuses(agent.sent('agent.service.register')[2])).toEqual({ t: 'passing', h: undefined })
  })

  it('has happened once the agent has taken it: what could not be ended then is drift until it is', async () => {
    const { agent, record, signal, judge } = keeping()
    await record.put('passing', signal)
    agent.answers('agent.check.deregister', failure('PROCONSUL_PERMISSION_DENIED'), {})
    const told: string[] = []
    const onTaken = (): Promise<void> => Promise.resolve(void told.push(...writes(agent.requests)))
    const next = resolve({ ...WEB, checks: [{ id: 't', name: 't' }] })
    await record.replace(next, as('passing', 'passing', { onTaken }), signal)
    expect(told).toEqual(['register', 'register'])
    expect(record.definition).toBe(next)
    expect(judge(RECORD, CHECKS)).toEqual({ type: 'drifted', fields: ['check h'] })
    await record.put('passing', signal)
    expect(writes(agent.requests).slice(2)).toEqual(['check h', 'check h', 'register'])
    expect(judge(RECORD, { t: CHECKS.t })).toEqual({ type: 'right' })
  })

  it('is set back, with the checks that it brought, when it failed and the agent may have taken it', async () => {
    const { agent, record, signal, judge } = keeping()
    await record.put('passing', signal)
    agent.answers('agent.service.register', failure('PROCONSUL_TIMEOUT'), {})
    const next = resolve({ ...WEB, checks: [{ id: 't', name: 't' }, TCP, { ...HTTP, id: 'n', name: 'n' }] })
    await expect(record.replace(next, as('passing', 'passing'), signal)).rejects.toBeDefined()
    expect(judge()).toEqual({ type: 'drifted', fields: ['check h', 'check n', 'update'] })
    await record.put('passing', signal)
    expect(writes(agent.requests).slice(2)).toEqual(['check h', 'check n', 'register'])
    expect(judge()).toEqual({ type: 'right' })
  })

  it('gives a check of another kind under the same id the fresh status', async () => {
    const { agent, record, signal, judge } = keeping()
    await record.put('critical', signal)
    judge(RECORD, { ...CHECKS, t: { ...CHECKS.t, Status: 'critical' } })
    const next = resolve({ ...WEB, checks: [{ ...HTTP, id: 't', name: 't' }, HTTP] })
    await record.replace(next, as('passing', 'passing'), signal)
    expect(statuses(agent.sent('agent.service.register').at(-1))).toEqual({ t: 'passing', h: 'warning' })
  })

  it('ends a slow start when it brings weights', async () => {
    const { agent, record, signal, judge } = keeping({ ...WEB, weights: { passing: 10 } })
    record.weight = 3
    await record.put('passing', signal)
    expect(judge({ ...RECORD, Weights: { Passing: 3, Warning: 1 } })).toEqual({ type: 'right' })
    await record.replace(
      resolve({ ...WEB, weights: { passing: 5 } }),
      as('passing', 'passing', { fullWeight: true }),
      signal,
    )
    await record.put('passing', signal)
    const sent = agent.sent('agent.service.register').map(({ body }) => body)
    expect(sent).toMatchObject([3, 5, 5].map((Passing) => ({ Weights: { Passing, Warning: 1 } })))
  })

  it('does not remember the status of a check that came to nothing or was removed', async () => {
    const { agent, record, signal, judge } = keeping()
    await record.put('passing', signal)
    judge()
    const [more, less] = [resolve({ ...WEB, checks: [...(WEB.checks ?? []), { ...TCP, id: 'n', name: 'n' }] }), WEB]
    agent.answers('agent.service.register', failure('PROCONSUL_UNAVAILABLE'), {})
    await expect(record.replace(more, as('passing', 'passing'), signal)).rejects.toBeDefined()
    await record.replace(more, as('critical', 'critical'), signal)
    expect(statuses(agent.sent('agent.service.register').at(-1))).toMatchObject({ h: 'warning', n: 'critical' })
    await record.replace(resolve(less), as('passing', 'passing'), signal)
    await record.replace(more, as('passing', 'passing'), signal)
    expect(statuses(agent.sent('agent.service.register').at(-1))).toMatchObject({ h: 'warning', n: 'passing' })
  })
})

describe('inspecting a record', () => {
  it('finds it gone', async () => {
    const { agent, record, signal } = keeping()
    expect(await record.inspect(signal)).toEqual({ type: 'gone' })
    expect(agent.operations).toEqual(['agent.service'])
  })

  it('finds it right, or tells what differs', async () => {
    const { agent, record, signal } = keeping()
    agent.answers('agent.service', { body: RECORD }, { body: { ...RECORD, Port: 81 } })
    agent.answers('agent.checks', { body: CHECKS }, { body: { t: CHECKS.t } })
    expect(await record.inspect(signal)).toEqual({ type: 'right' })
    expect(await record.inspect(signal)).toEqual({ type: 'drifted', fields: ['port', 'check h'] })
    expect(record.activeStatuses).toEqual(['warning'])
  })

  it.each([
    ['that lives', LIVE],
    ['of which nobody can tell whether it lives', FAR],
    ['of another container with the same host name', CONTAINED],
  ])('finds it taken by a run %s, whose checks say nothing about ours', (_who, by) => {
    const { record, judge } = keeping()
    expect(judge({ ...RECORD, Meta: metaOf(by), Port: 81 })).toEqual({ type: 'taken', by })
    expect(record.activeStatuses).toEqual(['critical'])
  })

  it.each([
    ['of a dead run', metaOf(DEAD)],
    ['without a boot id', {}],
    ['with a boot id that is none', { 'proconsul-boot': 'mine!' }],
  ])('finds a record %s drifted, with all else that differs', (_whose, meta) => {
    const { judge } = keeping()
    expect(judge({ ...RECORD, Meta: meta })).toEqual({ type: 'drifted', fields: ['boot'] })
    expect(judge({ ...RECORD, Meta: meta, Tags: ['x'] }, {})).toEqual({
      type: 'drifted',
      fields: ['boot', 'tags', 'check t', 'check h'],
    })
  })
})

describe('the holder of an id', () => {
  it('is the other run that lives, and nobody else', async () => {
    const { agent, record, signal } = keeping()
    const found = []
    for (const boot of [LIVE, FAR, DEAD, OWN]) {
      agent.answers('agent.service', { body: { ...RECORD, Meta: metaOf(boot) } })
      found.push(await record.holder(signal))
    }
    expect(found).toEqual([LIVE, FAR, undefined, undefined])
    agent.answers('agent.service', { body: { ...RECORD, Meta: null } })
    expect(await record.holder(signal)).toBeUndefined()
  })
})

describe('sweeping', () => {
  it('removes dead runs of the same name, address and port, and nothing else', async () => {
    const { agent, logger, record, signal } = keeping({ ...WEB, address: '10.0.0.9' })
    const old = { ID: 'old', Service: 'web', Address: '10.0.0.9', Port: 80, Meta: metaOf(DEAD) }
    const others = [
      old,
      { ...old, ID: 'w' },
      { ...old, ID: 'live', Meta: metaOf(LIVE) },
      { ...old, ID: 'far', Meta: metaOf(FAR) },
      { ...old, ID: 'contained', Meta: metaOf(CONTAINED) },
      { ...old, ID: 'contained-with-our-pid', Meta: metaOf({ ...CONTAINED, pid: OWN.pid }) },
      { ...old, ID: 'other-address', Address: '' },
      { ...old, ID: 'other-port', Port: 81 },
      { ...old, ID: 'of-others', Meta: null },
    ]
    agent.answers('agent.services', { body: Object.fromEntries(others.map((other) => [other.ID, other])) })
    await record.sweep(signal)
    expect(agent.sent('agent.services')).toMatchObject([{ query: { filter: 'Service == "web"' } }])
    expect(agent.sent('agent.service.deregister').map(({ path }) => path)).toEqual(['/agent/service/deregister/old'])
    expect(logger.messages('info')).toHaveLength(1)
    // The agent tells the servers with the token of the registration, and that of a dead run may have ended with it.
    expect(writes(agent.requests)).toEqual(['register', 'deregister'])
    const taken = { ID: 'old', Name: 'web', Address: '10.0.0.9', Port: 80, Meta: metaOf(DEAD) }
    expect(agent.sent('agent.service.register')[0]?.body).toMatchObject(taken)
  })

  it('never rejects', async () => {
    const { agent, logger, record, signal } = keeping()
    agent.answers('agent.services', failure('PROCONSUL_PERMISSION_DENIED'))
    await record.sweep(signal)
    expect(logger.messages('debug')).toHaveLength(1)
  })
})

describe('removing a record', () => {
  it('asks nothing when it never reached the agent', async () => {
    const { agent, record, signal } = keeping()
    await record.remove(signal)
    agent.answers('agent.service.register', failure('PROCONSUL_UNAVAILABLE', 'ECONNREFUSED'))
    await expect(record.put('passing', signal)).rejects.toBeDefined()
    const before = agent.requests.length
    await record.remove(signal)
    expect(agent.requests).toHaveLength(before)
  })

  it('waits for the write that is under way', async () => {
    const { agent, record, signal } = keeping()
    const release = agent.hold('agent.service.register')
    const putting = record.put('passing', signal)
    const removing = record.remove(signal)
    await settle()
    expect(agent.sent('agent.service.deregister')).toEqual([])
    release()
    await Promise.all([putting, removing])
    expect(writes(agent.requests)).toEqual(['register', 'deregister'])
  })

  it('repeats what may pass, at growing distances and not before the agent allows it', async () => {
    const { agent, clock, record, signal } = keeping()
    await record.put('passing', signal)
    const limited = Object.assign(failure('PROCONSUL_RATE_LIMITED'), { retryAfterMs: 3_000 })
    agent.answers(
      'agent.service.deregister',
      failure('PROCONSUL_UNAVAILABLE'),
      failure('PROCONSUL_NO_LEADER'),
      limited,
      {},
    )
    const triedAt: number[] = []
    const removing = record.remove(signal)
    await settle()
    while (clock.nextTimerInMs !== undefined) {
      triedAt.push(clock.nextTimerInMs)
      await clock.advanceToNext()
    }
    await removing
    expect(triedAt).toEqual([75, 150, 3_000])
    expect(agent.sent('agent.service.deregister')).toHaveLength(4)
  })

  it('gives up at once where repeating is of no use, and when the signal is aborted', async () => {
    const { agent, clock, record, signal } = keeping()
    await record.put('passing', signal)
    agent.answers('agent.service.deregister', failure('PROCONSUL_PERMISSION_DENIED'))
    await expect(record.remove(signal)).rejects.toMatchObject({ code: 'PROCONSUL_PERMISSION_DENIED' })
    agent.answers('agent.service.deregister', failure('PROCONSUL_UNAVAILABLE'))
    const abort = new AbortController()
    const removing = expect(record.remove(abort.signal)).rejects.toMatchObject({ code: 'PROCONSUL_ABORTED' })
    await clock.advance(1_000)
    abort.abort()
    await removing
    expect(clock.pendingTimers).toBe(0)
  })

  it.each([
    ['leaves it to another run that lives', LIVE, 0],
    ['leaves it to one of which nobody can tell', FAR, 0],
    ['leaves it to one of another container with the same host name', CONTAINED, 0],
    ['takes that of a dead run away', DEAD, 1],
    ['takes its own away', OWN, 1],
  ])('%s', async (_what, boot, deregistrations) => {
    const { agent, record, signal } = keeping()
    await record.put('passing', signal)
    agent.answers('agent.service', { body: { ...RECORD, Meta: metaOf(boot) } })
    await record.remove(signal)
    expect(agent.sent('agent.service.deregister')).toHaveLength(deregistrations)
  })
})

describe('confirming that it is gone', () => {
  const entry = (id: string, boot = OWN) => ({ Service: { ID: id, Service: 'web', Meta: metaOf(boot) }, Checks: [] })

  it('asks the catalog until the own instance of the own run is not passing any more', async () => {
    const { agent, clock, record, signal } = keeping()
    const [listed, failed] = [{ body: [entry('w'), entry('x')] }, failure('PROCONSUL_NO_LEADER')]
    agent.answers('health.service', listed, failed, listed, { body: [entry('w', LIVE), entry('x')] })
    let isDone = false
    const confirming = record.confirmGone(signal).then(() => (isDone = true))
    await clock.advance(74)
    expect(isDone).toBe(false)
    await clock.advance(100)
    await confirming
    expect(agent.sent('health.service')).toHaveLength(4)
    expect(agent.sent('health.service')[0]).toMatchObject({ query: { passing: true } })
  })

  it('takes the word of an agent that lets the token write and not read', async () => {
    const { agent, record, signal } = keeping()
    agent.answers('health.service', failure('PROCONSUL_PERMISSION_DENIED'))
    await record.confirmGone(signal)
    expect(agent.requests).toHaveLength(1)
  })

  it('ends with the signal', async () => {
    const { agent, clock, record } = keeping()
    agent.answers('health.service', { body: [entry('w')] })
    const abort = new AbortController()
    const confirming = expect(record.confirmGone(abort.signal)).rejects.toMatchObject({ code: 'PROCONSUL_ABORTED' })
    await clock.advance(10_000)
    abort.abort()
    await confirming
    expect(clock.pendingTimers).toBe(0)
  })
})

describe('a maintenance', () => {
  const ENDING = ['agent.checks', 'agent.check.register', 'agent.service.maintenance']
  const ON = { CheckID: '_service_maintenance:w', Name: 'Service Maintenance Mode', Notes: 'why', ServiceID: 'w' }

  it('is switched on again with every write, so that no write over a loss ends it', async () => {
    const { agent, record, signal } = keeping()
    await record.maintenance(true, 'why', signal)
    await record.put('passing', signal)
    await record.replace(resolve({ ...WEB, tags: ['v2'] }), as('passing', 'passing'), signal)
    expect(writes(agent.requests)).toEqual(['maintenance', 'register', 'maintenance', 'register', 'maintenance'])
    const switched = agent.sent('agent.service.maintenance').map(({ query }) => query)
    expect(switched).toEqual(Array.from({ length: 3 }, () => ({ enable: 'true', reason: 'why' })))
  })

  it('that the agent does not have any more is drift, until this process ends it', async () => {
    const { record, signal, judge } = keeping()
    expect(judge()).toEqual({ type: 'right' })
    await record.maintenance(true, undefined, signal)
    expect(judge()).toEqual({ type: 'drifted', fields: ['maintenance'] })
    expect(judge(RECORD, { ...CHECKS, m: ON })).toEqual({ type: 'right' })
    await record.maintenance(false, undefined, signal)
    expect(judge()).toEqual({ type: 'right' })
  })

  it('that could not be begun is not wanted, and one that could not be ended is', async () => {
    const { agent, record, signal, judge } = keeping()
    const [refused, unavailable] = [failure('PROCONSUL_PERMISSION_DENIED'), failure('PROCONSUL_UNAVAILABLE')]
    agent.answers('agent.service.maintenance', refused, {}, unavailable)
    await expect(record.maintenance(true, 'why', signal)).rejects.toBe(refused)
    expect(judge()).toEqual({ type: 'right' })
    await record.maintenance(true, 'why', signal)
    await expect(record.maintenance(false, undefined, signal)).rejects.toBe(unavailable)
    expect(judge()).toEqual({ type: 'drifted', fields: ['maintenance'] })
  })

  it('that an update could not renew is renewed by the next repair', async () => {
    const { agent, record, signal, judge } = keeping()
    await record.maintenance(true, 'why', signal)
    agent.answers('agent.service.maintenance', failure('PROCONSUL_UNAVAILABLE'), {})
    await record.replace(resolve({ ...WEB, tags: ['v2'] }), as('passing', 'passing'), signal)
    expect(judge({ ...RECORD, Tags: ['v2'] })).toEqual({ type: 'drifted', fields: ['maintenance'] })
    await record.put('passing', signal)
    expect(writes(agent.requests).slice(-2)).toEqual(['register', 'maintenance'])
  })

  it('is ended under the present token, whichever it was begun under', async () => {
    const { agent, record, signal } = keeping()
    agent.answers('agent.checks', { body: { m: ON } })
    await record.maintenance(false, undefined, signal)
    expect(agent.operations).toEqual(ENDING)
    expect(agent.requests[1]?.body).toMatchObject({ ID: ON.CheckID, ServiceID: 'w', Name: ON.Name, Notes: 'why' })
  })

  it('that there is none of is not begun by ending it', async () => {
    const { agent, record, signal } = keeping()
    await record.maintenance(false, undefined, signal)
    expect(writes(agent.requests)).toEqual(['maintenance'])
  })
})

describe('a record and the token that it was written under', () => {
  const OLD = { type: 'drifted', fields: [] }

  it('is to be written again once the token has changed, though others have changed nothing', async () => {
    const { record, signal, token, judge } = keeping()
    await record.put('passing', signal)
    token.changes = 1
    expect(judge()).toEqual(OLD)
    await record.put('passing', signal)
    expect(judge()).toEqual({ type: 'right' })
  })

  it('is to be written again when the token changed while it was being written', async () => {
    const { agent, record, signal, token, judge } = keeping()
    const release = agent.hold('agent.service.register')
    const writing = record.put('passing', signal)
    await settle()
    token.changes = 1
    release()
    await writing
    expect(judge()).toEqual(OLD)
    await record.replace(resolve(WEB), as('passing', 'passing'), signal)
    expect(judge()).toEqual({ type: 'right' })
  })

  it('goes on being under the old one when the new one is refused, or its answer lost', async () => {
    const { agent, record, signal, token, judge } = keeping()
    await record.put('passing', signal)
    token.changes = 1
    for (const error of [failure('PROCONSUL_PERMISSION_DENIED'), failure('PROCONSUL_TIMEOUT')]) {
      agent.answers('agent.service.register', error, {})
      await expect(record.put('passing', signal)).rejects.toBe(error)
      expect(judge()).toEqual(OLD)
    }
  })

  it('is written under the present one before it is removed: the agent tells the servers under that', async () => {
    const { agent, clock, record, signal, token } = keeping()
    await record.put('passing', signal)
    token.changes = 1
    agent.answers('agent.service.register', failure('PROCONSUL_UNAVAILABLE'), {})
    const removing = record.remove(signal)
    await clock.advance(1_000)
    await removing
    expect(writes(agent.requests)).toEqual(['register', 'register', 'register', 'deregister'])
    expect(statuses(agent.sent('agent.service.register').at(-1))).toEqual({ t: 'critical', h: 'critical' })
  })

  it('is removed without that where the token is the same', async () => {
    const { agent, record, signal } = keeping()
    await record.put('passing', signal)
    await record.remove(signal)
    expect(writes(agent.requests)).toEqual(['register', 'deregister'])
  })
})

describe('a record that is being removed', () => {
  it('is not written any more, whoever has begun to', async () => {
    const { agent, record, signal } = keeping()
    await record.put('passing', signal)
    const removing = record.remove(signal)
    const late = [record.put('passing', signal), record.replace(resolve(WEB), as('passing', 'passing'), signal)]
    const results = await Promise.allSettled(late)
    await removing
    expect(results.map(({ status }) => status)).toEqual(['rejected', 'rejected'])
    expect(writes(agent.requests)).toEqual(['register', 'deregister'])
  })
})
