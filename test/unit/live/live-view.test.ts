import { AsyncLocalStorage } from 'node:async_hooks'
import { getEventListeners } from 'node:events'
import { describe, expect, it } from 'vitest'
import type { Hold } from '../../../src/live/live-source.js'
import { FakeClock, settle } from '../../support/fake-clock.js'
import { recordingLogger } from '../../support/recording-logger.js'
import { played, TextView, type PlayedSource } from './played-source.js'

describe('a view of something that is followed', () => {
  it('shows nothing, as stale, before the first answer', () => {
    const { view } = played()
    expect(view.stale).toBe(true)
    expect(view.staleness).toBeUndefined()
    expect(view.receivedAt).toBeUndefined()
    expect(view.failure).toBeUndefined()
  })

  it('tells the first value as a change, and a value that is the same no more, but moves its age', async () => {
    const { source, view, told } = played()
    await settle()
    source.value('a', 5)
    source.value('a', 6)
    expect(told).toEqual(['change >a'])
    expect(view.receivedAt).toBe(6)
    expect(view.stale).toBe(false)
  })

  it('hears what a source says while it is asked to observe, when it is whole itself', async () => {
    const { view, told } = played({ atOnce: (source) => source.value('a') })
    expect(told).toEqual([])
    await settle()
    expect(told).toEqual(['change >a'])
    expect(await view.ready()).toBe('a')
  })

  it('hears it in order, a failure after a value included', async () => {
    const atOnce = (source: PlayedSource): void => {
      source.value('a')
      source.failure()
      source.problem()
    }
    const { told } = played({ atOnce })
    await settle()
    expect(told).toEqual([
      'change >a',
      'error PROCONSUL_UNAVAILABLE',
      'stale PROCONSUL_UNAVAILABLE',
      'error PROCONSUL_CACHE_FAILED',
    ])
  })

  it('lets go of the signal when the source throws at being observed', () => {
    const { signal } = new AbortController()
    const failing = {
      label: 'x',
      observe: () => {
        throw new Error('no such thing')
      },
    }
    const runtime = { clock: new FakeClock(), random: () => 0.5, logger: recordingLogger() }
    expect(() => new TextView({ runtime, source: failing, signal })).toThrow('no such thing')
    expect(getEventListeners(signal, 'abort')).toEqual([])
  })
})

describe('ready', () => {
  it('resolves with the first value and not with one right after it, and at once from then on', async () => {
    const { source, view } = played()
    const ready = view.ready()
    await settle()
    source.value('a')
    source.value('b')
    expect(await ready).toBe('a')
    expect(await view.ready()).toBe('b')
  })

  it('resolves for whoever waited also when a listener of that change closes the view or aborts the wait', async () => {
    const { clock, source, view } = played()
    const giveUp = new AbortController()
    view.on('change', () => {
      giveUp.abort()
      void view.close()
    })
    const waiting = [
      view.ready(),
      view.ready({ timeout: '2s' }),
      view.ready({ signal: giveUp.signal }),
      view.ready({ signal: giveUp.signal, timeout: '2s' }),
    ]
    await settle()
    source.value('a')
    expect(await Promise.all(waiting)).toEqual(['a', 'a', 'a', 'a'])
    await expect(view.ready()).rejects.toMatchObject({ code: 'PROCONSUL_CLOSED' })
    expect(clock.pendingTimers).toBe(0)
  })

  it('gives up in time, says what failed, and leaves no timer', async () => {
    const { clock, source, view } = played()
    const late = view.ready({ timeout: '2s' })
    await settle()
    source.failure()
    const refused = expect(late).rejects.toMatchObject({
      code: 'PROCONSUL_TIMEOUT',
      message: 'the text has no first answer within 2s; the last failure: a played failure',
    })
    await clock.advance(2_000)
    await refused
    expect(clock.pendingTimers).toBe(0)
  })

  it('says nothing of a failure where there was none', async () => {
    const { clock, view } = played()
    const refused = expect(view.ready({ timeout: 50 })).rejects.toMatchObject({
      message: 'the text has no first answer within 50ms',
    })
    await clock.advance(50)
    await refused
  })

  it('rejects with a failure that repeating cannot help, at once and later, and the view goes on', async () => {
    const { source, view } = played()
    const waiting = expect(view.ready()).rejects.toMatchObject({ code: 'PROCONSUL_PERMISSION_DENIED' })
    await settle()
    source.failure('PROCONSUL_PERMISSION_DENIED')
    await waiting
    await expect(view.ready()).rejects.toMatchObject({ code: 'PROCONSUL_PERMISSION_DENIED' })
    source.value('a')
    expect(await view.ready()).toBe('a')
  })

  it('goes on waiting through failures that may pass', async () => {
    const { source, view } = played()
    const ready = view.ready()
    await settle()
    source.failure()
    await settle()
    source.value('a')
    expect(await ready).toBe('a')
  })

  it('says why it cannot, also when a listener of that error closes the view', async () => {
    const { source, view } = played()
    view.on('error', () => void view.close())
    const refused = expect(view.ready()).rejects.toMatchObject({ code: 'PROCONSUL_PERMISSION_DENIED' })
    await settle()
    source.failure('PROCONSUL_PERMISSION_DENIED')
    await refused
  })

  it('rejects when its signal is aborted, before or while it waits, and leaves no listener on it', async () => {
    const { view } = played()
    await expect(view.ready({ signal: AbortSignal.abort() })).rejects.toMatchObject({ code: 'PROCONSUL_ABORTED' })
    const giveUp = new AbortController()
    const refused = expect(view.ready({ signal: giveUp.signal })).rejects.toMatchObject({ code: 'PROCONSUL_ABORTED' })
    giveUp.abort()
    await refused
    expect(getEventListeners(giveUp.signal, 'abort')).toEqual([])
  })

  it('rejects when the view is closed, before or while it waits', async () => {
    const { view } = played()
    const refused = expect(view.ready()).rejects.toMatchObject({
      code: 'PROCONSUL_CLOSED',
      message: 'the watch of the text is closed',
    })
    await view.close()
    await refused
    await expect(view.ready()).rejects.toMatchObject({ code: 'PROCONSUL_CLOSED' })
  })

  it.each([
    [{ timeoutMs: 5 }, /options\.timeoutMs/],
    [{ timeout: 'soon' }, /timeout is "soon"/],
    [{ signal: 'now' }, /signal is "now"/],
    [null, /options is null/],
  ])('refuses %j', async (options, message) => {
    const { view } = played()
    await expect(view.ready(options as never)).rejects.toThrow(message)
  })
})

describe('an iteration', () => {
  it('yields the present value first and then the latest, skipping what came between', async () => {
    const { source, view } = played()
    await settle()
    const iterator = view[Symbol.asyncIterator]()
    const first = iterator.next()
    source.value('a')
    expect((await first).value).toBe('a')
    for (const text of 'bcdef') source.value(text)
    expect((await iterator.next()).value).toBe('f')
  })

  it('yields again when the value becomes stale and when it is right again, and not when it is read anew', async () => {
    const { source, view } = played()
    await settle()
    source.value('a')
    const seen: boolean[] = []
    const reading = (async () => {
      for await (const text of view) seen.push(view.stale && text === 'a')
    })()
    for (const happen of [() => undefined, () => source.failure(), () => source.value('a'), () => source.value('a')]) {
      happen()
      await settle()
    }
    await view.close()
    await reading
    expect(seen).toEqual([false, true, false])
  })

  it('yields a doubt, and a saved value', async () => {
    const { source, view } = played()
    await settle()
    const iterator = view[Symbol.asyncIterator]()
    source.saved('a', 1)
    expect((await iterator.next()).value).toBe('a')
    source.value('a')
    expect((await iterator.next()).value).toBe('a')
    source.doubt()
    expect((await iterator.next()).value).toBe('a')
  })
})

describe('pause, resume and refresh', () => {
  it('reach the source until the view is closed', async () => {
    const { source, view } = played()
    view.pause()
    view.resume()
    view.refresh()
    await view.close()
    view.pause()
    view.resume()
    view.refresh()
    expect(source.calls).toEqual(['pause', 'resume', 'refresh', 'close'])
  })

  it('do nothing to a source that knows none of them', async () => {
    const runtime = { clock: new FakeClock(), random: () => 0.5, logger: recordingLogger() }
    const view = new TextView({ runtime, source: { label: 'x', observe: () => ({ close: () => undefined }) } })
    view.pause()
    view.resume()
    view.refresh()
    await view.close()
    expect(view.stale).toBe(true)
  })
})

describe('the end of a view', () => {
  it('comes once, tells nothing afterwards, and leaves nothing', async () => {
    const ending = new AbortController()
    const { clock, source, view, told } = played({ signal: ending.signal })
    await settle()
    source.value('a')
    const closing = view.close()
    expect(view.close()).toBe(closing)
    await closing
    source.value('b')
    source.failure()
    source.doubt()
    source.problem()
    expect(told).toEqual(['change >a', 'closed', 'onClose'])
    expect(source.calls).toEqual(['close'])
    expect(view.listenerCount('change')).toBe(0)
    expect(getEventListeners(ending.signal, 'abort')).toEqual([])
    expect(clock.pendingTimers).toBe(0)
    expect(view.receivedAt).toBeDefined()
  })

  it('comes once also when a listener of it closes the view again', async () => {
    const { view, told, source } = played()
    let again: Promise<void> | undefined
    view.on('closed', () => void (again = view.close()))
    const closing = view.close()
    await closing
    expect(again).toBe(closing)
    expect(told).toEqual(['closed', 'onClose'])
    expect(source.calls).toEqual(['close'])
  })

  it('comes by the signal, aborted before, right after, or later', async () => {
    const [before, after, later] = [new AbortController(), new AbortController(), new AbortController()]
    before.abort()
    const views = [before, after, later].map(({ signal }) => played({ signal }))
    after.abort()
    await settle()
    expect(views.map(({ told }) => told)).toEqual([['closed', 'onClose'], ['closed', 'onClose'], []])
    later.abort()
    expect(views[2]?.told).toEqual(['closed', 'onClose'])
  })

  it('comes with await using', async () => {
    const { view, told } = played()
    {
      await using used = view
      expect(used.stale).toBe(true)
    }
    expect(told).toEqual(['closed', 'onClose'])
  })

  it('waits for what the source has left to do', async () => {
    let finish: () => void = () => undefined
    const slow = {
      label: 'x',
      observe: (): Hold => ({ close: () => new Promise<void>((resolve) => (finish = resolve)) }),
    }
    const runtime = { clock: new FakeClock(), random: () => 0.5, logger: recordingLogger() }
    const view = new TextView({ runtime, source: slow })
    let isClosed = false
    const closing = view.close().then(() => (isClosed = true))
    await settle()
    expect(isClosed).toBe(false)
    finish()
    await closing
    expect(isClosed).toBe(true)
  })

  it('drops what the source said while it was asked to observe', async () => {
    const { view, told } = played({ atOnce: (source) => source.value('a') })
    await view.close()
    await settle()
    expect(told).toEqual(['closed', 'onClose'])
  })
})

describe('the context of asynchronous code', () => {
  const context = new AsyncLocalStorage<string>()

  it('is that of whoever added a listener', async () => {
    const { source, view } = played()
    const seen: unknown[] = []
    context.run('one request', () => view.on('change', () => void seen.push(context.getStore())))
    context.run('another', () => view.on('change', () => void seen.push(context.getStore())))
    await settle()
    context.run('a loop', () => source.value('a'))
    expect(seen).toEqual(['one request', 'another'])
  })

  it('is none for the source, whoever made, paused, resumed, refreshed or closed the view', async () => {
    const seen: unknown[] = []
    const notice = (): void => void seen.push(context.getStore())
    const source = {
      label: 'x',
      observe: (): Hold => {
        notice()
        return { pause: notice, resume: notice, refresh: notice, close: notice }
      },
    }
    const runtime = { clock: new FakeClock(), random: () => 0.5, logger: recordingLogger() }
    await context.run('a request', async () => {
      const view = new TextView({ runtime, source })
      view.pause()
      view.resume()
      view.refresh()
      await view.close()
    })
    expect(seen).toEqual([undefined, undefined, undefined, undefined, undefined])
  })
})
