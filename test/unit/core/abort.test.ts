import { getEventListeners, setMaxListeners } from 'node:events'
import { describe, expect, it } from 'vitest'
import { AbortLink, abortError, orAborted, throwIfAborted, withDeadline } from '../../../src/core/abort.js'
import { ProconsulError } from '../../../src/errors/proconsul-error.js'
import { FakeClock } from '../../support/fake-clock.js'

const never = new Promise<never>(() => undefined)
const late = (): ProconsulError => new ProconsulError('PROCONSUL_TIMEOUT', 'too late')

describe('an aborted signal', () => {
  it('rejects with PROCONSUL_ABORTED, the reason as its cause', () => {
    const reason = new Error('changed my mind')
    expect(abortError(AbortSignal.abort(reason))).toMatchObject({ code: 'PROCONSUL_ABORTED', cause: reason })
  })

  it('rejects with its reason where that is a ProconsulError', () => {
    const reason = new ProconsulError('PROCONSUL_CLOSED', 'closed')
    expect(() => throwIfAborted(AbortSignal.abort(reason))).toThrow(reason)
    expect(() => throwIfAborted(new AbortController().signal)).not.toThrow()
  })
})

describe('an abort link', () => {
  it('takes a signal for any number of calls, whatever was said of its listeners before', () => {
    const { signal } = new AbortController()
    setMaxListeners(0, signal)
    const links = Array.from({ length: 30 }, () => new AbortLink(signal))
    expect(getEventListeners(signal, 'abort')).toHaveLength(30)
    for (const link of links) link.unlink()
  })

  it('follows each of its parents, one that is aborted already too', () => {
    const parents = [new AbortController(), new AbortController()] as const
    const link = new AbortLink(parents[0].signal, undefined, parents[1].signal)
    expect(link.signal.aborted).toBe(false)
    parents[1].abort()
    expect(link.signal.aborted).toBe(true)
    expect(new AbortLink(AbortSignal.abort()).signal.aborted).toBe(true)
  })

  it('leaves no listener on a parent once it is unlinked', () => {
    const parent = new AbortController()
    const link = new AbortLink(parent.signal)
    expect(getEventListeners(parent.signal, 'abort')).toHaveLength(1)
    link.unlink()
    expect(getEventListeners(parent.signal, 'abort')).toHaveLength(0)
    parent.abort()
    expect(link.signal.aborted).toBe(false)
  })
})

describe('a deadline', () => {
  it('ends work that ignores its signal, and leaves no timer', async () => {
    const clock = new FakeClock()
    const work = withDeadline({ clock, timeoutMs: 1_000, onTimeout: late }, () => never)
    const rejected = expect(work).rejects.toMatchObject({ code: 'PROCONSUL_TIMEOUT' })
    await clock.advance(1_000)
    await rejected
    expect(clock.pendingTimers).toBe(0)
  })

  it('hands on what the work yields or throws, and leaves neither timer nor listener', async () => {
    const clock = new FakeClock()
    const { signal } = new AbortController()
    const options = { clock, timeoutMs: 1_000, signal, onTimeout: late }
    await expect(withDeadline(options, () => Promise.resolve(42))).resolves.toBe(42)
    await expect(withDeadline(options, () => Promise.reject(new Error('no')))).rejects.toThrow('no')
    expect(clock.pendingTimers).toBe(0)
    expect(getEventListeners(signal, 'abort')).toHaveLength(0)
  })

  it('ends with the signal of the caller, also when that is aborted already', async () => {
    const clock = new FakeClock()
    const caller = new AbortController()
    const work = withDeadline({ clock, timeoutMs: 1_000, signal: caller.signal, onTimeout: late }, () => never)
    caller.abort()
    await expect(work).rejects.toMatchObject({ code: 'PROCONSUL_ABORTED' })
    await expect(
      withDeadline({ clock, timeoutMs: 1_000, signal: caller.signal, onTimeout: late }, () => Promise.resolve()),
    ).rejects.toMatchObject({ code: 'PROCONSUL_ABORTED' })
  })
})

it('waiting or aborted, whichever comes first, leaves no listener', async () => {
  const controller = new AbortController()
  await expect(orAborted(controller.signal, Promise.resolve('done'))).resolves.toBe('done')
  expect(getEventListeners(controller.signal, 'abort')).toHaveLength(0)
  const waiting = orAborted(controller.signal, never)
  controller.abort()
  await expect(waiting).rejects.toMatchObject({ code: 'PROCONSUL_ABORTED' })
})
