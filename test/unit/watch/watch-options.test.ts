import { expect, it } from 'vitest'
import { resolveWatchOptions, WATCH_DEFAULTS } from '../../../src/watch/watch-options.js'

it('takes the defaults for what is not given', () => {
  expect(resolveWatchOptions()).toEqual(WATCH_DEFAULTS)
  expect(resolveWatchOptions({ wait: '1m', burst: 3 })).toEqual({ ...WATCH_DEFAULTS, waitMs: 60_000, burst: 3 })
})

it.each([
  [{ wait: '11m' }, /watch\.wait/],
  [{ wait: 'soon' }, /watch\.wait is "soon"/],
  [{ interval: 0 }, /watch\.interval/],
  [{ burst: 0 }, /watch\.burst/],
  [{ emptyInterval: -1 }, /watch\.emptyInterval/],
  [{ pollInterval: 1 }, /watch\.pollInterval/],
  [{ sweep: 1 }, /watch\.sweep/],
  [{ maxTurnsPerSecond: 1.5 }, /watch\.maxTurnsPerSecond/],
  [{ grace: '-1s' }, /watch\.grace/],
  [{ maxStale: null }, /watch\.maxStale/],
  [{ waits: '1s' }, /watch\.waits/],
])('refuses %j', (options, message) => {
  expect(() => resolveWatchOptions(options as never)).toThrow(message)
})
