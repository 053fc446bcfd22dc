import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import type { HttpRequest } from '../../../../src/http/request.js'
import type { FakeClock } from '../../../support/fake-clock.js'
import { failure, type Played, type PlayedAgent } from '../played-agent.js'
import { registering, WEB } from '../played-registration.js'

/** What becomes of a request, and of its answer. */
const FATES = ['done', 'refused', 'denied', 'unanswered', 'late'] as const

/** Makes an agent remember what it is told, and do to each request what comes next in the list. */
function remembering(agent: PlayedAgent, clock: FakeClock, fates: (typeof FATES)[number][], token: () => number) {
  const has = { service: undefined as Readonly<Record<string, unknown>> | undefined, maintenance: false, token: 0 }
  const forget = (): void => void Object.assign(has, { service: undefined, maintenance: false })
  const later = (): Promise<void> => new Promise((resolve) => clock.setTimer(resolve, 2_500))
  const carryOut = ({ operation, body, query }: HttpRequest): Played => {
    const unknown = failure('PROCONSUL_NOT_FOUND')
    const shown = has.service && { ID: 'w', Service: 'web', Meta: has.service['Meta'], Tags: has.service['Tags'] }
    const ids = shown === undefined ? [] : ['service:w', ...(has.maintenance ? ['_service_maintenance:w'] : [])]
    switch (operation) {
      case 'agent.service.register':
        Object.assign(has, { service: body, token: token() })
        return {}
      case 'agent.service.maintenance':
        if (shown) has.maintenance = query?.['enable'] === 'true'
        return shown ? {} : unknown
      case 'agent.check.update':
        return shown ? {} : unknown
      case 'agent.service':
        return shown ? { body: shown } : { status: 404, body: '' }
      case 'agent.services':
        return { body: shown ? { w: shown } : {} }
      case 'agent.checks':
        return { body: Object.fromEntries(ids.map((id) => [id, { CheckID: id, ServiceID: 'w', Status: 'passing' }])) }
      default:
        return {}
    }
  }
  agent.plays(async (request) => {
    const fate = fates.shift() ?? 'done'
    if (fate === 'refused') return failure('PROCONSUL_UNAVAILABLE')
    if (fate === 'denied') return failure('PROCONSUL_PERMISSION_DENIED')
    const answer = carryOut(request)
    if (fate === 'late') await later()
    return fate === 'unanswered' ? failure('PROCONSUL_TIMEOUT') : answer
  })
  return { has, forget }
}

/** The same again and again, for longer than any storm lasts. */
function fill<T>(script: T[], part: readonly T[]): void {
  for (let round = 0; round < 20; round++) script.push(...part)
}

describe('a registration that is wanted', () => {
  const fates = fc.array(fc.constantFrom(...FATES), { maxLength: 60 })
  const events = fc.array(fc.tuple(fc.nat(6_000), fc.constantFrom('loss', 'token', 'update')), { maxLength: 12 })

  it('is there in the end, in maintenance and under the present token, after whatever losses, failed calls and late answers', async () => {
    await fc.assert(
      fc.asyncProperty(fates, events, async (whatHappens, inTurn) => {
        const { life, registration, agent, clock, token } = registering(WEB, true)
        const script = new Array<(typeof FATES)[number]>()
        const { has, forget } = remembering(agent, clock, script, () => token.changes)
        await life.start({ giveUp: true })
        await registration.maintenance(true, 'migration')
        fill(script, whatHappens)
        for (const [gapMs, event] of inTurn) {
          await clock.advance(gapMs)
          if (event === 'loss') forget()
          else if (event === 'update') void registration.update({ tags: [String(gapMs)] }).catch(() => undefined)
          else {
            token.changes += 1
            void life.refresh()
          }
        }
        await clock.advance(10_000)
        script.length = 0
        await clock.advance(30_000)
        expect(registration.state).toBe('registered')
        expect(has).toMatchObject({ service: { ID: 'w' }, maintenance: true, token: token.changes })
        const written = agent.sent('agent.service.register').length
        await clock.advance(30_000)
        expect(agent.sent('agent.service.register')).toHaveLength(written)
        await life.halt()
        expect(clock.pendingTimers).toBe(0)
      }),
      { numRuns: 300 },
    )
  }, 60_000)
})
