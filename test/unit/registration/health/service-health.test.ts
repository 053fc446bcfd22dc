import { describe, expect, it } from 'vitest'
import { ProconsulError } from '../../../../src/errors/proconsul-error.js'
import { resolveDefinition } from '../../../../src/registration/definition/resolve-definition.js'
import type { EventLoopOptions } from '../../../../src/registration/definition/service-definition.js'
import type { Probes } from '../../../../src/registration/definition/probe-definition.js'
import { ServiceHealth } from '../../../../src/registration/health/service-health.js'
import { FakeClock, settle } from '../../../support/fake-clock.js'
import { recordingLogger } from '../../../support/recording-logger.js'

const define = (probes: Probes, eventLoop?: EventLoopOptions) =>
  resolveDefinition(
    { name: 'web', id: 'w', check: { ttl: '3s', probes }, ...(eventLoop && { eventLoop }) },
    { hostname: 'here', boot: 'boot' },
  )

function healthOf(probes: Probes, eventLoop?: EventLoopOptions) {
  const clock = new FakeClock()
  const logger = recordingLogger()
  const heard: [string, string][] = []
  const definition = define(probes, eventLoop)
  const health = new ServiceHealth(definition, { clock, random: () => 0.5, logger }, (now, before) =>
    heard.push([before.status, now.status]),
  )
  return { clock, logger, heard, health }
}

const never = new AbortController().signal

describe('the health of a service', () => {
  it('is reported as Consul is to show it, and told when it changes', async () => {
    const answers = [true, 'warning', 'warning']
    const { health, clock, heard } = healthOf({ db: () => answers.shift() })
    expect(health.pending).toEqual(['db'])
    expect(health.report).toMatchObject({ status: 'critical' })
    await health.start()
    expect([health.pending, health.status]).toEqual([[], 'passing'])
    await clock.advance(1_100)
    expect(health.current.probes['db']).toMatchObject({ status: 'warning' })
    expect(health.report).toEqual({ status: 'warning', output: expect.stringMatching(/^db: warning\n/) as string })
    expect(heard).toEqual([
      ['critical', 'passing'],
      ['passing', 'warning'],
    ])
    health.stop()
    expect(clock.pendingTimers).toBe(0)
  })

  it('has the event loop as a probe where that is asked for', async () => {
    const { health, clock, heard } = healthOf({}, { warnAfter: '1s' })
    await health.start()
    expect(Object.keys(health.current.probes)).toEqual(['event-loop'])
    clock.block(1_500)
    await clock.advance(3_000)
    expect(heard).toEqual([
      ['critical', 'passing'],
      ['passing', 'warning'],
      ['warning', 'passing'],
    ])
    expect(Object.keys(healthOf({}).health.current.probes)).toEqual([])
    health.stop()
    expect(clock.pendingTimers).toBe(0)
  })
})

describe('new probes', () => {
  it('count once each has run and the change is in force, and are told where that says something new', async () => {
    const { health, clock, heard } = healthOf({ old: () => true })
    await health.start()
    heard.length = 0
    let end: (value: unknown) => void = () => undefined
    const statuses: string[] = []
    const changed = health.change(
      define({ fresh: () => new Promise((resolve) => (end = resolve)) }),
      never,
      (status) => {
        statuses.push(status)
        expect(Object.keys(health.current.probes)).toEqual(['old'])
        return Promise.resolve()
      },
    )
    await settle()
    expect(statuses).toEqual([])
    end('warning')
    await changed
    expect(statuses).toEqual(['warning'])
    expect(health.current.probes).toMatchObject({ fresh: { status: 'warning' } })
    expect(heard).toEqual([['passing', 'warning']])
    health.stop()
    expect(clock.pendingTimers).toBe(0)
  })

  it.each<[string, (leave: () => void) => Promise<void>]>([
    ['the change is refused', () => Promise.reject(new ProconsulError('PROCONSUL_REJECTED', 'no'))],
    ['the service has begun to leave meanwhile', (leave) => Promise.resolve().then(leave)],
  ])('are let go, and the old ones stay, when %s', async (_why, commit) => {
    const { health, clock, heard } = healthOf({ old: () => true })
    await health.start()
    heard.length = 0
    const controller = new AbortController()
    const leave = (): void => controller.abort(new ProconsulError('PROCONSUL_CLOSED', 'left'))
    const changed = health.change(define({ fresh: () => false }), controller.signal, () => commit(leave))
    await expect(changed).rejects.toMatchObject({ name: 'ProconsulError' })
    await clock.advance(5_000)
    expect(Object.keys(health.current.probes)).toEqual(['old'])
    expect(heard).toEqual([])
    health.stop()
    expect(clock.pendingTimers).toBe(0)
  })

  it('are not waited for once the service is to leave', async () => {
    const { health, clock } = healthOf({ old: () => true })
    await health.start()
    const controller = new AbortController()
    const given = health.change(define({ fresh: () => new Promise(() => undefined) }), controller.signal, () =>
      Promise.resolve(),
    )
    controller.abort(new ProconsulError('PROCONSUL_CLOSED', 'left'))
    await expect(given).rejects.toMatchObject({ code: 'PROCONSUL_CLOSED' })
    health.stop()
    expect(clock.pendingTimers).toBe(0)
  })

  it('that are the old ones go on without another run', async () => {
    let runs = 0
    const db = (): void => void (runs += 1)
    const { health, clock } = healthOf({ db })
    await health.start()
    const statuses: string[] = []
    await health.change(define({ db }), never, (status) => Promise.resolve(void statuses.push(status)))
    expect([runs, statuses]).toEqual([1, ['passing']])
    await health.change(define({ db, cache: () => true }), never, () => Promise.resolve())
    expect(runs).toBe(2)
    health.stop()
    expect(clock.pendingTimers).toBe(0)
  })
})
