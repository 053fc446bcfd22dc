import { describe, expect, it } from 'vitest'
import { resolveCloseOptions, resolveSignalOptions } from '../../../src/lifecycle/shutdown-options.js'

describe('how to leave', () => {
  it('on signals: SIGTERM and SIGINT, 5 s for callers, ten for everything with a second to spare, then the process ends', () => {
    expect(resolveSignalOptions()).toMatchObject({
      signals: ['SIGTERM', 'SIGINT'],
      drainMs: 5_000,
      timeoutMs: 9_000,
      endProcess: true,
    })
  })

  it('by close: no time for callers unless asked for', () => {
    expect(resolveCloseOptions()).toMatchObject({ drainMs: 0, timeoutMs: 20_000 })
    expect(resolveCloseOptions({ drain: '1s' })).toMatchObject({ drainMs: 1_000 })
  })

  it('lets the default drain give way to a short timeout', () => {
    expect(resolveSignalOptions({ timeout: '2s' })).toMatchObject({ drainMs: 1_000, timeoutMs: 2_000 })
  })

  it('hears each signal once, however often it is named', () => {
    expect(resolveSignalOptions({ signals: ['SIGINT', 'SIGINT'] }).signals).toEqual(['SIGINT'])
  })

  it.each<[object, string]>([
    [{ drian: '5s' }, 'options.drian is "5s"'],
    [{ drain: '10s' }, 'drain is "10s"; expected a duration from 0ms to 9s, which is the timeout of the whole'],
    [{ drain: '30s', timeout: '20s' }, 'drain is "30s"; expected a duration from 0ms to 20s'],
    [{ drain: -1 }, 'drain is -1'],
    [{ onDrained: null }, 'onDrained is null; expected a function'],
    [{ onClosed: '' }, 'onClosed is ""; expected a function'],
    [{ timeout: 0 }, 'timeout is 0'],
    [{ onDrained: 'server.close' }, 'onDrained is "server.close"; expected a function'],
    [{ onClosed: 1 }, 'onClosed is 1; expected a function'],
    [{ signals: [] }, 'signals is an array of 0'],
    [{ signals: ['SIGTREM'] }, 'signals is "SIGTREM"'],
    [{ signals: ['SIGKILL'] }, 'signals is "SIGKILL"; expected the name of a signal that can be caught'],
    [{ signals: 'SIGTERM' }, 'signals is "SIGTERM"; expected an array of strings'],
    [{ endProcess: 'no' }, 'endProcess is "no"'],
  ])('refuses %j', (options, message) => {
    expect(() => resolveSignalOptions(options)).toThrow(
      expect.objectContaining({
        code: 'PROCONSUL_INVALID_OPTION',
        message: expect.stringContaining(message) as string,
      }),
    )
  })
})
