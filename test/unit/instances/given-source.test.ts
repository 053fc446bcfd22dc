import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { ProconsulError } from '../../../src/errors/proconsul-error.js'
import { givenSource } from '../../../src/instances/given-source.js'
import type { InstanceList, InstanceSource } from '../../../src/instances/instance-source.js'
import type { Hold, Observer } from '../../../src/live/live-source.js'
import { FakeClock, settle } from '../../support/fake-clock.js'
import { instances, listOf, runtimeOn, ToldList } from './scripted-source.js'

const nothing = { close: () => undefined }

function observe(given: Partial<InstanceSource>) {
  const clock = new FakeClock()
  const logged: string[] = []
  const heard = new ToldList()
  const errors: ProconsulError[] = []
  heard.onFailure = (error) => {
    errors.push(error)
    heard.told.push(`failure ${error.code}`)
  }
  const source = givenSource('source', { label: 'mine', observe: () => nothing, ...given }, runtimeOn(clock, logged))
  const hold = source.observe(heard)
  return { clock, source, heard, told: heard.told, errors, hold, logged }
}

/** A source whose observer a test calls by hand. */
function byHand(hold: { readonly [Name in keyof Hold]?: Hold[Name] | undefined } = {}) {
  let observer: Observer<InstanceList> | undefined
  const calls: string[] = []
  const seen = observe({
    observe: (given) => {
      observer = given
      const call = (name: string) => (): void => void calls.push(name)
      return {
        pause: call('pause'),
        resume: call('resume'),
        refresh: call('refresh'),
        close: call('close'),
        ...hold,
      } as Hold
    },
  })
  if (observer === undefined) throw new Error('it was not observed')
  return { ...seen, observer, calls }
}

describe('a source that users wrote', () => {
  it.each([
    [null, /^source is null/],
    ['x', /^source is "x"/],
    [{}, /^source\.label is undefined/],
    [{ label: '' }, /^source\.label is ""/],
    [{ label: 'x' }, /^source\.observe is undefined/],
    [{ label: 'x', observe: 5 }, /^source\.observe is 5/],
    [{ label: 'x', observe: () => nothing, confirm: 5 }, /^source\.confirm is 5/],
  ])('is refused when it is %j', (given, message) => {
    expect(() => givenSource('source', given as never, runtimeOn(new FakeClock()))).toThrow(message)
  })

  it('tells lists, whole and frozen, and keeps the identity of what did not change', () => {
    const { observer, heard } = byHand()
    const fields = { id: 'a', name: 'web', address: 'x', port: 1 }
    const list = (): InstanceList => ({ instances: [{ ...fields } as never], confirmedAt: 1, isContinuous: true })
    observer.onValue(list())
    observer.onValue(list())
    const [first, second] = heard.lists
    expect(first?.instances).toMatchObject([{ ...fields, status: 'passing' }])
    expect(second?.instances).toBe(first?.instances)
    expect(Object.isFrozen(first?.instances[0])).toBe(true)
  })

  it('may call while it is asked to observe', () => {
    const { told } = observe({
      observe: (observer) => {
        observer.onValue(listOf(['a']))
        observer.onFailure(new ProconsulError('PROCONSUL_UNAVAILABLE', 'gone'))
        return nothing
      },
    })
    expect(told).toEqual(['value a', 'failure PROCONSUL_UNAVAILABLE'])
  })

  it('fails, in a way that repeating does not help, when it throws at being observed', () => {
    const { told, errors, hold } = observe({
      observe: () => {
        throw new TypeError('no such thing')
      },
    })
    expect(told).toEqual(['failure PROCONSUL_INVALID_OPTION'])
    expect(errors[0]?.message).toBe('mine: no such thing')
    expect(errors[0]?.retryable).toBe(false)
    expect(() => hold.pause?.()).not.toThrow()
  })

  it.each([[undefined], [() => undefined], [{}], [{ close: 5 }], [{ close: () => undefined, pause: 5 }], ['x']])(
    'fails and is not listened to when it returns %j',
    (returned) => {
      let observer: Observer<InstanceList> | undefined
      const { told, errors } = observe({
        observe: (given) => {
          observer = given
          return returned as never
        },
      })
      observer?.onValue(listOf(['a']))
      expect(told).toEqual(['failure PROCONSUL_INVALID_OPTION'])
      expect(errors[0]?.message).toMatch(/what observe\(\) returns is .*; expected an object with close\(\)/)
    },
  )

  it('fails, naming the field, when what it yields is no list, and is well again with the next', () => {
    const { observer, told, errors } = byHand()
    observer.onValue(listOf(['a']))
    observer.onValue({ ...listOf(['b']), confirmedAt: 'now' } as never)
    observer.onValue(listOf(['a']))
    expect(told).toEqual(['value a', 'failure PROCONSUL_BAD_RESPONSE', 'value a'])
    expect(errors[0]?.message).toBe(
      'mine: confirmedAt is "now"; expected a time in milliseconds since the epoch, such as Date.now()',
    )
    expect(errors[0]?.retryable).toBe(true)
  })

  it('tells a failure of its own as it is, and anything else as one that may pass', () => {
    const { observer, errors } = byHand()
    const own = new ProconsulError('PROCONSUL_NO_LEADER', 'no leader')
    for (const failure of [own, new Error('refused'), 'text', undefined, Object.create(null)]) {
      observer.onFailure(failure as never)
    }
    expect(errors[0]).toBe(own)
    expect(errors.slice(1).map(({ code }) => code)).toEqual(errors.slice(1).map(() => 'PROCONSUL_UNAVAILABLE'))
    expect(errors.map(({ message }) => message)).toEqual([
      'no leader',
      'mine: refused',
      'mine: text',
      'mine: undefined',
      'mine: [Object: null prototype] {}',
    ])
  })

  it('tells doubts, problems and saved lists, whatever they are', () => {
    const { observer, told } = byHand()
    observer.onDoubt('x' as never)
    observer.onProblem('x' as never)
    observer.onSaved(listOf(['a'], { confirmedAt: 3 }))
    observer.onSaved('x' as never)
    expect(told).toEqual(['doubt', 'problem PROCONSUL_UNAVAILABLE', 'saved a at 3', 'failure PROCONSUL_BAD_RESPONSE'])
  })

  it('never makes anything of ours throw, whatever it calls with', () => {
    const calls = fc.constantFrom('onValue', 'onFailure', 'onDoubt', 'onSaved', 'onProblem')
    fc.assert(
      fc.property(fc.array(fc.tuple(calls, fc.anything({ withNullPrototype: true }))), (sequence) => {
        const { observer, errors } = byHand()
        for (const [name, argument] of sequence) observer[name as 'onFailure'](argument as never)
        expect(errors.every((error) => error instanceof ProconsulError)).toBe(true)
      }),
    )
  })

  it('may hand over what throws when it is looked at', () => {
    const { observer, told } = byHand()
    const hostile = {
      get instances(): never {
        throw new Error('do not look')
      },
      confirmedAt: 1,
      isContinuous: true,
    }
    observer.onValue(hostile)
    observer.onValue(
      new Proxy(
        {},
        {
          ownKeys: () => {
            throw new Error('nor here')
          },
        },
      ) as never,
    )
    expect(told).toEqual(['failure PROCONSUL_BAD_RESPONSE', 'failure PROCONSUL_BAD_RESPONSE'])
  })

  it('may call inside a call: what comes so is told after it', () => {
    const { observer, heard } = byHand()
    const order: string[] = []
    heard.onValue = (list) => {
      order.push(`begin ${list.instances.length}`)
      if (list.instances.length === 1) observer.onValue(listOf(['a', 'b']))
      order.push(`end ${list.instances.length}`)
    }
    observer.onValue(listOf(['a']))
    expect(order).toEqual(['begin 1', 'end 1', 'begin 2', 'end 2'])
  })
})

describe('the hold on a source that users wrote', () => {
  it('reaches the source', async () => {
    const { calls, hold } = byHand()
    hold.refresh?.()
    hold.pause?.()
    hold.pause?.()
    hold.refresh?.()
    hold.resume?.()
    hold.resume?.()
    await hold.close()
    expect(calls).toEqual(['refresh', 'pause', 'resume', 'close'])
  })

  it('holds back what is told while it is paused, and then tells the last of it', () => {
    const { observer, told, hold } = byHand({ pause: undefined, resume: undefined })
    observer.onValue(listOf(['a']))
    hold.pause?.()
    observer.onFailure(new ProconsulError('PROCONSUL_NO_LEADER', 'x'))
    observer.onValue(listOf(['b']))
    observer.onValue(listOf(['c']))
    observer.onDoubt(new ProconsulError('PROCONSUL_NO_LEADER', 'x'))
    observer.onFailure(new ProconsulError('PROCONSUL_UNAVAILABLE', 'x'))
    observer.onProblem(new ProconsulError('PROCONSUL_CACHE_FAILED', 'x'))
    expect(told).toEqual(['value a'])
    hold.resume?.()
    expect(told).toEqual(['value a', 'value c', 'failure PROCONSUL_UNAVAILABLE'])
    hold.pause?.()
    hold.resume?.()
    expect(told).toHaveLength(3)
  })

  it('tells nothing once it is closed', async () => {
    const { observer, told, hold } = byHand()
    await hold.close()
    observer.onValue(listOf(['a']))
    observer.onFailure(new Error('x') as never)
    observer.onProblem(new Error('x') as never)
    hold.resume?.()
    expect(told).toEqual([])
  })

  it('tells nothing more of a call in which it is closed', () => {
    const { observer, heard, hold } = byHand()
    let count = 0
    heard.onValue = () => {
      count += 1
      observer.onValue(listOf(['b']))
      void hold.close()
    }
    observer.onValue(listOf(['a']))
    expect(count).toBe(1)
  })

  it('survives what it throws and what it rejects with, and logs it', async () => {
    const fail = (): never => {
      throw new Error('no')
    }
    const { hold, logged } = byHand({
      pause: fail,
      resume: fail,
      refresh: fail,
      close: () => Promise.reject(new Error('no')),
    })
    hold.refresh?.()
    hold.pause?.()
    hold.resume?.()
    await hold.close()
    expect(logged).toEqual(
      ['refresh', 'pause', 'resume', 'close'].map((name) => `${name}() of a source of instances failed`),
    )
    const throwing = byHand({ close: fail })
    await throwing.hold.close()
    expect(throwing.logged).toHaveLength(1)
  })

  it('does not wait for ever for a source that does not close', async () => {
    const { clock, hold, logged } = byHand({ close: () => new Promise(() => undefined) })
    let isClosed = false
    void Promise.resolve(hold.close()).then(() => (isClosed = true))
    await clock.advance(4_999)
    expect(isClosed).toBe(false)
    await clock.advance(1)
    expect(isClosed).toBe(true)
    expect(logged).toHaveLength(1)
    expect(clock.pendingTimers).toBe(0)
  })
})

describe('the question to a source that users wrote', () => {
  const { signal } = new AbortController()

  it('is there only where the source can answer', () => {
    expect('confirm' in observe({}).source).toBe(false)
  })

  it('yields instances that were checked', async () => {
    const { source } = observe({ confirm: () => Promise.resolve(instances(['a'])) })
    expect(await source.confirm?.(signal)).toMatchObject([{ id: 'a' }])
    const bad = observe({ confirm: () => Promise.resolve([{ id: 'a' }] as never) })
    await expect(bad.source.confirm?.(signal)).rejects.toThrow(/instances\[0\]\.name/)
  })

  it('rejects when the source throws, and as soon as it is given up', async () => {
    const throwing = observe({
      confirm: () => {
        throw new Error('no')
      },
    })
    await expect(throwing.source.confirm?.(signal)).rejects.toThrow('no')
    const giveUp = new AbortController()
    const asked = observe({ confirm: () => new Promise(() => undefined) }).source.confirm?.(giveUp.signal)
    giveUp.abort()
    await expect(asked).rejects.toMatchObject({ code: 'PROCONSUL_ABORTED' })
    await settle()
  })
})
