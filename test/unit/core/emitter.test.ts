import { AsyncLocalStorage } from 'node:async_hooks'
import { on, once, type EventEmitter } from 'node:events'
import { describe, expect, it, vi } from 'vitest'
import { Emitter } from '../../../src/core/emitter.js'
import type { Logger } from '../../../src/core/logger.js'
import { recordingLogger } from '../../support/recording-logger.js'

class Lamp extends Emitter<{ change: [isOn: boolean]; error: [error: Error] }> {
  constructor(logger: Logger) {
    super(logger, ['change', 'error'])
  }

  switch(isOn: boolean): boolean {
    return this.emit('change', isOn)
  }

  forget(): void {
    this.removeAllListeners()
  }
}

const asNodeEmitter = (lamp: Lamp): EventEmitter => lamp as unknown as EventEmitter

describe('an emitter', () => {
  it('calls its listeners in the order they came, and each only once per event', () => {
    const heard: string[] = []
    const first = (isOn: boolean): number => heard.push(`first ${isOn}`)
    const lamp = new Lamp(recordingLogger())
    lamp.on('change', first).on('change', first)
    lamp.on('change', () => heard.push('second'))
    expect(lamp.switch(true)).toBe(true)
    expect(heard).toEqual(['first true', 'second'])
  })

  it('forgets a listener of once before it calls it, and one that was taken off', () => {
    const lamp = new Lamp(recordingLogger())
    const listener = vi.fn(() => lamp.switch(false))
    lamp.once('change', listener)
    const gone = vi.fn()
    lamp.on('change', gone).off('change', gone)
    lamp.switch(true)
    expect(listener).toHaveBeenCalledExactlyOnceWith(true)
    expect(gone).not.toHaveBeenCalled()
    expect(lamp.listenerCount('change')).toBe(0)
    expect(lamp.switch(true)).toBe(false)
  })

  it('survives a listener that throws or rejects: it is logged once and the others are called', async () => {
    const logger = recordingLogger()
    const lamp = new Lamp(logger)
    const last = vi.fn()
    lamp.on('change', () => {
      throw new Error('thrown')
    })
    lamp.on('change', () => Promise.reject(new Error('rejected')))
    lamp.on('change', last)
    lamp.switch(true)
    await Promise.resolve()
    lamp.switch(false)
    await Promise.resolve()
    expect(last).toHaveBeenCalledTimes(2)
    expect(logger.messages('debug')).toHaveLength(2)
    expect(logger.messages('error')).toEqual(['a listener of "change" failed', 'a listener of "change" failed'])
  })

  it('refuses a listener for an event that there is not, and says which was meant', () => {
    const lamp = new Lamp(recordingLogger())
    expect(() => lamp.on('changed' as 'change', () => undefined)).toThrow(
      `event is "changed"; expected 'change' | 'error'. Did you mean change?`,
    )
    expect(() => lamp.once('toString' as 'change', () => undefined)).toThrow('event is "toString"')
  })

  it('calls each listener in the async context in which it was added', () => {
    const request = new AsyncLocalStorage<string>()
    const lamp = new Lamp(recordingLogger())
    const seen: (string | undefined)[] = []
    request.run('first', () => lamp.on('change', () => seen.push(request.getStore())))
    request.run('second', () => lamp.on('change', () => seen.push(request.getStore())))
    request.run('third', () => lamp.switch(true))
    expect(seen).toEqual(['first', 'second'])
  })

  it('does not throw when an error has no listener', () => {
    class Broken extends Lamp {
      fail(): boolean {
        return this.emit('error', new Error('nobody listens'))
      }
    }
    expect(new Broken(recordingLogger()).fail()).toBe(false)
  })

  it('works with once and on of node:events, which leave no listener behind', async () => {
    const lamp = new Lamp(recordingLogger())
    const next = once(asNodeEmitter(lamp), 'change')
    lamp.switch(true)
    expect(await next).toEqual([true])

    const stop = new AbortController()
    const events = on(asNodeEmitter(lamp), 'change', { signal: stop.signal })
    lamp.switch(false)
    expect((await events.next()).value).toEqual([false])
    stop.abort()
    await expect(events.next()).rejects.toThrow('aborted')
    expect(lamp.listenerCount('change')).toBe(0)
  })

  it('calls no listener any more that another one has just removed', () => {
    const lamp = new Lamp(recordingLogger())
    const [removed, forgotten] = [vi.fn(), vi.fn()]
    lamp.on('change', () => lamp.off('change', removed)).on('change', removed)
    lamp.on('change', () => lamp.forget()).on('change', forgotten)
    lamp.switch(true)
    expect(removed).not.toHaveBeenCalled()
    expect(forgotten).not.toHaveBeenCalled()
  })

  it('can forget all its listeners', () => {
    const lamp = new Lamp(recordingLogger())
    const listener = vi.fn()
    lamp.on('change', listener)
    lamp.forget()
    expect(lamp.switch(true)).toBe(false)
    lamp.on('change', listener)
    expect(lamp.switch(true)).toBe(true)
  })

  it('works with once and on of node:events also where it has no event named error', async () => {
    class Bell extends Emitter<{ ring: [times: number] }> {
      ring(times: number): void {
        this.emit('ring', times)
      }
    }
    const bell = new Bell(recordingLogger(), ['ring'])
    const rung = once(bell as unknown as EventEmitter, 'ring')
    bell.ring(3)
    expect(await rung).toEqual([3])
    expect(() => bell.on('rnig' as 'ring', vi.fn())).toThrow('event is "rnig"; expected \'ring\'. Did you mean ring?')
  })
})
