import { runInNewContext } from 'node:vm'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { HEALTH_STATUSES } from '../../../../src/registration/definition/health-status.js'
import { verdictOf, verdictOfError } from '../../../../src/registration/health/verdict.js'
import { anyHostile } from './any-hostile.js'

const critical = { onFailure: 'critical' } as const
const warning = { onFailure: 'warning' } as const

describe('what a probe returns', () => {
  it.each<[unknown]>([
    [undefined],
    [null],
    [true],
    ['passing'],
    [0],
    [7],
    [[]],
    [[{ rows: 1 }]],
    [{ rows: [] }],
    [() => false],
  ])('passes where it is %j', (value) => {
    expect(verdictOf(value, critical)).toEqual({ status: 'passing', output: '' })
  })

  it.each<[unknown, string, string]>([
    [false, 'critical', ''],
    ['critical', 'critical', ''],
    ['warning', 'warning', ''],
    [{ status: 'passing', output: '3 waiting' }, 'passing', '3 waiting'],
    [{ status: 'warning', output: 'slow' }, 'warning', 'slow'],
    [{ status: 'critical', output: 'down' }, 'critical', 'down'],
    [{ status: 'critical', output: 42 }, 'critical', ''],
    ['over 2 GB', 'critical', 'over 2 GB'],
    ['PONG', 'critical', 'PONG'],
    ['Passing', 'critical', 'Passing'],
    ['', 'critical', ''],
    [new Error('refused'), 'critical', 'refused'],
    [Object.assign(new Error('refused'), { status: 'passing' }), 'critical', 'refused'],
    [runInNewContext("new Error('elsewhere')"), 'critical', 'elsewhere'],
    [{ status: 'down' }, 'critical', 'its status is down, which is none of passing, warning, critical'],
    [{ status: 200 }, 'critical', 'its status is 200, which is none of passing, warning, critical'],
    [{ status: undefined }, 'critical', 'its status is undefined, which is none of passing, warning, critical'],
    [
      { status: 'degraded', output: 'slow' },
      'critical',
      'its status is degraded, which is none of passing, warning, critical: slow',
    ],
  ])('says with %j that it is %s', (value, status, output) => {
    expect(verdictOf(value, critical)).toEqual({ status, output })
    expect(verdictOf(value, warning)).toEqual({ status: status === 'critical' ? 'warning' : status, output })
  })

  it('can be a status of a class, behind a getter or inherited', () => {
    class Result {
      readonly #delayMs: number = 700
      get status(): string {
        return this.#delayMs > 500 ? 'warning' : 'passing'
      }
    }
    class Slow extends Result {
      readonly output = 'slow'
    }
    expect(verdictOf(new Slow(), critical)).toEqual({ status: 'warning', output: 'slow' })
  })

  it('is told within what an agent keeps', () => {
    expect(verdictOf('x'.repeat(5_000), critical).output).toBe('x'.repeat(4_096))
    expect(verdictOf({ status: 'passing', output: 'x'.repeat(5_000) }, critical).output).toBe('x'.repeat(4_096))
  })

  it('is data, whatever it is', () => {
    fc.assert(
      fc.property(anyHostile(), fc.constantFrom(critical, warning), (make, probe) => {
        const value = make()
        for (const verdict of [verdictOf(value, probe), verdictOfError(value, probe)]) {
          expect(HEALTH_STATUSES).toContain(verdict.status)
          expect(typeof verdict.output).toBe('string')
        }
        expect(verdictOfError(value, probe).status).toBe(probe.onFailure)
      }),
      { numRuns: 300 },
    )
  })
})

describe('what a probe throws', () => {
  it.each<[unknown, string]>([
    [new Error('no route'), 'no route'],
    ['text', 'text'],
    [new TypeError(''), 'TypeError'],
    [Object.assign(new AggregateError([]), { code: 'ECONNREFUSED' }), 'ECONNREFUSED'],
    [Object.assign(new Error(''), { message: { code: 7 } }), '{ code: 7 }'],
    [Object.create(null), '[Object: null prototype] {}'],
    [undefined, 'undefined'],
    [42, '42'],
  ])('is told as text: %j', (thrown, text) => {
    const { status, output } = verdictOfError(thrown, critical)
    expect(status).toBe('critical')
    expect(output).toBe(text)
  })

  it('is told in words where it cannot be shown', () => {
    const { proxy, revoke } = Proxy.revocable({}, {})
    revoke()
    expect(verdictOfError(proxy, warning).status).toBe('warning')
    expect(verdictOf(proxy, warning).status).toBe('warning')
  })
})
