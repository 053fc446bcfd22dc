import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import type { QueryMeta } from '../../../src/http/query-meta.js'
import {
  judge,
  restart,
  START,
  START_AT_LEADER,
  type JudgedQuery,
  type Verdict,
  type WaitPosition,
} from '../../../src/watch/index-rules.js'

const PLAIN: JudgedQuery = { shownIndex: undefined, stale: false, polls: false, maxStaleMs: 10_000 }
const STALE: JudgedQuery = { ...PLAIN, stale: true }
const POLLED: JudgedQuery = { ...PLAIN, polls: true }

const at = (index: number): WaitPosition => ({ type: 'index', index })
const hash = (value: string): WaitPosition => ({ type: 'hash', hash: value })
const POLL: WaitPosition = { type: 'poll' }

const show = (next: WaitPosition): Verdict => ({ type: 'show', next })
const ANEW: Verdict = { type: 'read-anew', next: START }
const FROM_LEADER: Verdict = { type: 'read-anew', next: START_AT_LEADER }
const NO_LEADER: Verdict = { type: 'no-leader' }

interface Case {
  readonly what: string
  readonly position: WaitPosition
  readonly meta: QueryMeta
  readonly query?: JudgedQuery
  readonly verdict: Verdict
}

const CASES: readonly Case[] = [
  // By what to wait.
  { what: 'an index', position: START, meta: { index: 12 }, verdict: show(at(12)) },
  { what: 'an index of zero, which would not block', position: START, meta: { index: 0 }, verdict: show(at(1)) },
  { what: 'an index beside a hash', position: START, meta: { index: 5, contentHash: 'x' }, verdict: show(at(5)) },
  { what: 'a hash', position: START, meta: { contentHash: 'cafe' }, verdict: show(hash('cafe')) },
  { what: 'another hash', position: hash('cafe'), meta: { contentHash: 'beef' }, verdict: show(hash('beef')) },
  { what: 'the same hash', position: hash('cafe'), meta: { contentHash: 'cafe' }, verdict: show(hash('cafe')) },
  { what: 'no hash any more', position: hash('cafe'), meta: {}, verdict: show(POLL) },
  { what: 'neither index nor hash', position: START, meta: {}, verdict: show(POLL) },
  { what: 'an index missing after one', position: at(7), meta: {}, verdict: show(POLL) },
  { what: 'an index after none', position: POLL, meta: { index: 3 }, verdict: show(at(3)) },
  { what: 'an index, of a query that polls', position: POLL, meta: { index: 3 }, query: POLLED, verdict: show(POLL) },
  {
    what: 'a hash, of a query that polls',
    position: START,
    meta: { contentHash: 'x' },
    query: POLLED,
    verdict: show(POLL),
  },

  // The index goes on, or back.
  { what: 'a higher index', position: at(7), meta: { index: 8 }, verdict: show(at(8)) },
  { what: 'the same index', position: at(7), meta: { index: 7 }, verdict: show(at(7)) },
  { what: 'a lower index', position: at(7), meta: { index: 6 }, verdict: ANEW },
  { what: 'zero after one', position: at(1), meta: { index: 0 }, verdict: show(at(1)) },
  { what: 'zero after two', position: at(2), meta: { index: 0 }, verdict: ANEW },
  {
    what: 'a lower index after a plain read, for the registry may have lost its state',
    position: START,
    meta: { index: 6 },
    query: { ...PLAIN, shownIndex: 7 },
    verdict: show(at(6)),
  },

  // Servers that lag.
  {
    what: 'an index below the one shown',
    position: START,
    meta: { index: 6 },
    query: { ...STALE, shownIndex: 7 },
    verdict: FROM_LEADER,
  },
  {
    what: 'the index shown',
    position: START,
    meta: { index: 7 },
    query: { ...STALE, shownIndex: 7 },
    verdict: show(at(7)),
  },
  {
    what: 'a lower index while waiting',
    position: at(7),
    meta: { index: 6 },
    query: { ...STALE, shownIndex: 7 },
    verdict: FROM_LEADER,
  },
  { what: 'any index before one is shown', position: START, meta: { index: 1 }, query: STALE, verdict: show(at(1)) },
  {
    what: 'no index after one is shown',
    position: START,
    meta: {},
    query: { ...STALE, shownIndex: 7 },
    verdict: show(POLL),
  },
  {
    what: 'a lower index from the leader',
    position: START_AT_LEADER,
    meta: { index: 6 },
    query: { ...STALE, shownIndex: 7 },
    verdict: show(at(6)),
  },
  {
    what: 'a server behind by the bound',
    position: at(7),
    meta: { index: 8, lastContactMs: 10_000 },
    query: STALE,
    verdict: show(at(8)),
  },
  {
    what: 'a server behind by more',
    position: at(7),
    meta: { index: 8, lastContactMs: 10_001 },
    query: STALE,
    verdict: FROM_LEADER,
  },
  {
    what: 'a server behind that was not asked for',
    position: at(7),
    meta: { index: 8, lastContactMs: 10_001 },
    verdict: FROM_LEADER,
  },
  {
    what: 'a server behind, to a query that polls',
    position: POLL,
    meta: { lastContactMs: 10_001 },
    query: POLLED,
    verdict: FROM_LEADER,
  },
  {
    what: 'a server behind, with a lower index',
    position: at(7),
    meta: { index: 6, lastContactMs: 10_001 },
    verdict: FROM_LEADER,
  },

  // No leader.
  {
    what: 'a server in an election',
    position: at(7),
    meta: { index: 8, knownLeader: false, lastContactMs: 900 },
    verdict: show(at(8)),
  },
  {
    what: 'a server that never had a leader',
    position: at(7),
    meta: { index: 8, knownLeader: false, lastContactMs: 0 },
    verdict: FROM_LEADER,
  },
  {
    what: 'no leader, and no word of how far behind',
    position: START,
    meta: { index: 8, knownLeader: false },
    verdict: FROM_LEADER,
  },
  { what: 'no word of a leader, as with streaming', position: START, meta: { index: 8 }, verdict: show(at(8)) },
  {
    what: 'a leader that is known',
    position: START,
    meta: { index: 8, knownLeader: true, lastContactMs: 0 },
    verdict: show(at(8)),
  },
  {
    what: 'no leader when it was asked for',
    position: START_AT_LEADER,
    meta: { index: 8, knownLeader: false },
    verdict: NO_LEADER,
  },
  {
    what: 'no leader in an election when it was asked for',
    position: START_AT_LEADER,
    meta: { index: 8, knownLeader: false, lastContactMs: 900 },
    verdict: NO_LEADER,
  },
  { what: 'the leader', position: START_AT_LEADER, meta: { index: 8, knownLeader: true }, verdict: show(at(8)) },
  { what: 'the leader, without a word of it', position: START_AT_LEADER, meta: { index: 8 }, verdict: show(at(8)) },
  {
    what: 'the leader, to a query that polls',
    position: START_AT_LEADER,
    meta: {},
    query: POLLED,
    verdict: show(POLL),
  },
  {
    what: 'the leader, whatever a header says of its lag',
    position: START_AT_LEADER,
    meta: { index: 8, lastContactMs: 99_999, cacheAgeMs: 99_999 },
    verdict: show(at(8)),
  },

  // The agent's cache.
  {
    what: 'a cache as old as the bound',
    position: START,
    meta: { index: 8, cacheHit: true, cacheAgeMs: 10_000 },
    verdict: show(at(8)),
  },
  {
    what: 'an older cache',
    position: START,
    meta: { index: 8, cacheHit: true, cacheAgeMs: 10_001 },
    verdict: FROM_LEADER,
  },
  {
    what: 'any age when none is allowed',
    position: START,
    meta: { index: 8, cacheAgeMs: 1 },
    query: { ...PLAIN, maxStaleMs: 0 },
    verdict: FROM_LEADER,
  },
]

describe('what an answer means', () => {
  it.each(CASES)('$what: $verdict.type', ({ position, meta, query = PLAIN, verdict }) => {
    expect(judge(position, meta, query)).toEqual(verdict)
  })

  it('is never to wait by zero or by less than was waited for, and to start anew exactly when the index went back', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 1e9 }), fc.integer({ min: 0, max: 1e9 }), (before, index) => {
        const counted = Math.max(1, index)
        expect(judge(at(before), { index }, PLAIN)).toEqual(counted < before ? ANEW : show(at(counted)))
      }),
    )
  })

  it('is always shown when it is the answer of a leader, so that no query asks for it for ever', () => {
    const meta = fc.record(
      { index: fc.nat(), contentHash: fc.string(), lastContactMs: fc.nat(), cacheAgeMs: fc.nat() },
      { requiredKeys: [] },
    )
    const query = fc.record({ shownIndex: fc.nat(), stale: fc.boolean(), polls: fc.boolean(), maxStaleMs: fc.nat() })
    fc.assert(fc.property(meta, query, (answer, judged) => judge(START_AT_LEADER, answer, judged).type === 'show'))
  })
})

describe('a position that must not be relied upon any more', () => {
  it('is a read of whoever answers, unless the leader was to be asked', () => {
    expect([at(7), hash('cafe'), POLL, START].map(restart)).toEqual([START, START, START, START])
    expect(restart(START_AT_LEADER)).toEqual(START_AT_LEADER)
    expect([START, START_AT_LEADER].map(({ from }) => from)).toEqual(['anyone', 'leader'])
  })
})
