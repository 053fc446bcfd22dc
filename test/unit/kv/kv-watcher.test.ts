import { describe, expect, it } from 'vitest'
import type { Runtime } from '../../../src/core/runtime.js'
import type { ProconsulErrorCode } from '../../../src/errors/proconsul-error.js'
import { KvWatcher } from '../../../src/kv/kv-watcher.js'
import { querySource } from '../../../src/watch/query-source.js'
import { AGENT_SCOPE } from '../../../src/watch/read-scope.js'
import { settle } from '../../support/fake-clock.js'
import { failure, makeEngine } from '../watch/harness.js'
import { ScriptedRead } from '../watch/scripted-read.js'

function watch() {
  const { clock, engine, texts, logged } = makeEngine()
  const log = (_fields: object, message: string): void => void logged.push(message)
  const runtime: Runtime = { clock, random: () => 0.5, logger: { debug: log, info: log, warn: log, error: log } }
  const script = new ScriptedRead<string>()
  const source = querySource('the key "k"', texts, { key: 'k', scope: AGENT_SCOPE, read: script.read })
  const open = (): KvWatcher<string> => new KvWatcher('', { runtime, source })
  const watcher = open()
  const answer = async (value: string): Promise<void> => {
    await settle()
    script.answer(value, { index: 1 })
    await settle()
  }
  const fail = async (code: ProconsulErrorCode = 'PROCONSUL_PERMISSION_DENIED'): Promise<void> => {
    await settle()
    script.fail(failure(code))
    await settle()
  }
  return { clock, engine, script, watcher, open, answer, fail, [Symbol.asyncDispose]: () => engine.close() }
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

  it('neither reads nor tells anything while it is paused, and tells once what changed when it goes on', async () => {
    await using watched = watch()
    const { clock, script, watcher, answer } = watched
    const told = record(watcher)
    await answer('a')
    await settle()
    watcher.pause()
    watcher.pause()
    await answer('of the read that was given up')
    await clock.advance(60_000)
    watcher.refresh()
    expect([script.requests.length, script.pending, told]).toEqual([2, 0, ['a after undefined']])
    watcher.resume()
    watcher.resume()
    await settle()
    expect(script.next).not.toHaveProperty('index')
    await answer('b')
    expect(told).toEqual(['a after undefined', 'b after a'])
    expect(watcher.value).toBe('b')
  })

  it('keeps what it shows while it is paused and others of the same key go on, and takes theirs when it goes on', async () => {
    await using watched = watch()
    const { clock, watcher, open, answer, fail } = watched
    const told = record(watcher)
    const other = open()
    await answer('a')
    const shownAt = clock.now()
    watcher.pause()
    await clock.advance(5_000)
    await answer('b')
    await fail('PROCONSUL_UNAVAILABLE')
    expect([other.value, other.stale, other.receivedAt]).toEqual(['b', true, shownAt + 5_000])
    expect([watcher.value, watcher.stale, watcher.receivedAt]).toEqual(['a', false, shownAt])
    expect([watcher.failure, told]).toEqual([undefined, ['a after undefined']])
    watcher.resume()
    await settle()
    expect(told.slice(1)).toEqual(['b after a', 'error PROCONSUL_UNAVAILABLE', 'stale'])
    expect([watcher.value, watcher.receivedAt]).toEqual(['b', shownAt + 5_000])
  })

  it('has the time at which Consul last confirmed its value, also when that did not change', async () => {
    await using watched = watch()
    const { clock, watcher, answer } = watched
    expect(watcher.receivedAt).toBeUndefined()
    await answer('a')
    expect(watcher.receivedAt).toBe(clock.now())
    await clock.advance(5_000)
    await answer('a')
    expect(watcher.receivedAt).toBe(clock.now())
    await clock.advance(5_000)
    expect(watcher.receivedAt).toBe(clock.now() - 5_000)
  })

  it('has what it fails with for as long as it fails', async () => {
    await using watched = watch()
    const { clock, watcher, answer, fail } = watched
    await answer('a')
    expect([watcher.failure, watcher.stale]).toEqual([undefined, false])
    await fail('PROCONSUL_UNAVAILABLE')
    expect([watcher.failure?.code, watcher.stale]).toEqual(['PROCONSUL_UNAVAILABLE', true])
    await clock.advance(1_000)
    await answer('a')
    expect([watcher.failure, watcher.stale]).toEqual([undefined, false])
  })

  it('looks again at once when it is told that its value may be out of date', async () => {
    await using watched = watch()
    const { clock, script, watcher, answer, fail } = watched
    await answer('a')
    await fail()
    await clock.advance(10)
    const before = script.requests.length
    watcher.refresh()
    await settle()
    expect(script.requests.length).toBe(before + 1)
  })

  it('does nothing more when it is closed, whatever is asked of it', async () => {
    await using watched = watch()
    const { clock, script, watcher, answer } = watched
    await answer('a')
    watcher.pause()
    await watcher.close()
    watcher.resume()
    watcher.refresh()
    watcher.pause()
    await clock.advance(60_000)
    expect([script.requests.length, clock.pendingTimers]).toEqual([2, 0])
  })
})

function record(watcher: KvWatcher<string>): string[] {
  const told: string[] = []
  watcher.on('change', ({ value, previous }) => void told.push(`${value} after ${String(previous)}`))
  watcher.on('stale', () => void told.push('stale'))
  watcher.on('recovered', () => void told.push('recovered'))
  watcher.on('error', ({ code }) => void told.push(`error ${code}`))
  return told
}
