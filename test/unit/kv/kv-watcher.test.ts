import { describe, expect, it } from 'vitest'
import type { Runtime } from '../../../src/core/runtime.js'
import { KvWatcher } from '../../../src/kv/kv-watcher.js'
import { settle } from '../../support/fake-clock.js'
import { failure, makeEngine } from '../watch/harness.js'
import { ScriptedRead } from '../watch/scripted-read.js'

function watch() {
  const { clock, engine, texts, logged } = makeEngine()
  const log = (_fields: object, message: string): void => void logged.push(message)
  const runtime: Runtime = { clock, random: () => 0.5, logger: { debug: log, info: log, warn: log, error: log } }
  const script = new ScriptedRead<string>()
  const parts = { runtime, signal: undefined, onClose: () => undefined }
  const watcher = new KvWatcher(texts, { key: 'k', read: script.read }, parts)
  const answer = async (value: string): Promise<void> => {
    await settle()
    script.answer(value, { index: 1 })
    await settle()
  }
  const fail = async (): Promise<void> => {
    await settle()
    script.fail(failure('PROCONSUL_PERMISSION_DENIED'))
    await settle()
  }
  return { clock, engine, watcher, answer, fail, [Symbol.asyncDispose]: () => engine.close() }
}

describe('a watch of a key', () => {
  it('is ready with the value that was waited for, also when a listener of that very change closes the watch', async () => {
    await using watched = watch()
    const { clock, watcher, answer } = watched
    watcher.on('change', () => void watcher.close())
    const { signal } = new AbortController()
    const waiting = [watcher.ready(), watcher.ready({ timeout: '2s' }), watcher.ready({ timeout: '2s', signal })]
    const values = Promise.all(waiting)
    await answer('a')
    expect(await values).toEqual(['a', 'a', 'a'])
    await watched.engine.close()
    expect(clock.pendingTimers).toBe(0)
  })

  it('is ready with the value that was waited for, also when a listener of that very change aborts the wait', async () => {
    await using watched = watch()
    const { watcher, answer } = watched
    const giveUp = new AbortController()
    watcher.on('change', () => giveUp.abort())
    const { signal } = giveUp
    const values = Promise.all([watcher.ready({ signal }), watcher.ready({ signal, timeout: '2s' })])
    await answer('a')
    expect(await values).toEqual(['a', 'a'])
  })

  it('says why it cannot get ready, also when a listener of that very error closes the watch', async () => {
    await using watched = watch()
    const { watcher, fail } = watched
    watcher.on('error', () => void watcher.close())
    const waiting = [watcher.ready(), watcher.ready({ timeout: '2s' })]
    const outcomes = Promise.allSettled(waiting)
    await fail()
    const denied = { status: 'rejected', reason: { code: 'PROCONSUL_PERMISSION_DENIED' } }
    expect(await outcomes).toMatchObject([denied, denied])
  })

  it('stops waiting when it is closed, when the signal says so, and when time is up', async () => {
    await using watched = watch()
    const { clock, watcher } = watched
    await expect(watcher.ready({ signal: AbortSignal.abort() })).rejects.toMatchObject({ code: 'PROCONSUL_ABORTED' })
    const late = expect(watcher.ready({ timeout: '2s' })).rejects.toMatchObject({ code: 'PROCONSUL_TIMEOUT' })
    await clock.advance(2_000)
    await late
    const closed = expect(watcher.ready()).rejects.toMatchObject({ code: 'PROCONSUL_CLOSED' })
    await watcher.close()
    await closed
  })

  it('is not ready any more when it is closed, with a timeout or without', async () => {
    await using watched = watch()
    const { watcher, answer } = watched
    await answer('a')
    expect(await watcher.ready()).toBe('a')
    await watcher.close()
    await expect(watcher.ready()).rejects.toMatchObject({ code: 'PROCONSUL_CLOSED' })
    await expect(watcher.ready({ timeout: '2s' })).rejects.toMatchObject({ code: 'PROCONSUL_CLOSED' })
  })
})
