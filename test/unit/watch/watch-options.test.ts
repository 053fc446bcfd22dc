import { expect, it } from 'vitest'
import { resolveWatchOptions, WATCH_DEFAULTS } from '../../../src/watch/watch-options.js'

it('takes the defaults for what is not given', () => {
  expect(resolveWatchOptions()).toEqual(WATCH_DEFAULTS)
  expect(WATCH_DEFAULTS).toEqual({ waitMs: 30_000, intervalMs: 250, pollIntervalMs: 10_000, maxStaleMs: 10_000 })
})

it('takes every option that is given', () => {
  const options = { wait: '1m', interval: 1, pollInterval: '1s', maxStale: 0 } as const
  const resolved = { waitMs: 60_000, intervalMs: 1, pollIntervalMs: 1_000, maxStaleMs: 0 }
  expect(resolveWatchOptions(options)).toEqual(resolved)
})

it.each([
  [{ wait: '11m' }, /watch\.wait/],
  [{ wait: 99 }, /watch\.wait/],
  [{ wait: 'soon' }, /watch\.wait is "soon"/],
  [{ interval: 0 }, /watch\.interval/],
  [{ pollInterval: 9 }, /watch\.pollInterval/],
  [{ maxStale: null }, /watch\.maxStale/],
  [{ maxStale: -1 }, /watch\.maxStale/],
  [{ waits: '1s' }, /watch\.waits.+Did you mean wait\?/],
  [{ pollIntervall: '1s' }, /Did you mean pollInterval\?/],
  [{ burst: 3 }, /watch\.burst is 3; expected one of the options wait, interval, pollInterval, maxStale/],
])('refuses %j', (options, message) => {
  expect(() => resolveWatchOptions(options as never)).toThrow(message)
})
