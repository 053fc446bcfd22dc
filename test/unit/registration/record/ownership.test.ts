import { describe, expect, it } from 'vitest'
import { CONTAINED, DEAD, FAR, LIVE, metaOf, OWN } from '../played-agent.js'
import { keeping, RECORD } from './keeping.js'

describe('an inspected record', () => {
  it.each([
    ['that lives', LIVE],
    ['of which nobody can tell whether it lives', FAR],
    ['of another container with the same host name', CONTAINED],
  ])('finds it taken by a run %s, whose checks say nothing about ours', (_who, by) => {
    const { record, judge } = keeping()
    expect(judge({ ...RECORD, Meta: metaOf(by), Port: 81 })).toEqual({ type: 'taken', by })
    expect(record.activeStatuses).toEqual(['critical'])
  })

  it.each([
    ['of a dead run', metaOf(DEAD)],
    ['without a boot id', {}],
    ['with a boot id that is none', { 'proconsul-boot': 'mine!' }],
  ])('finds a record %s drifted, with all else that differs', (_whose, meta) => {
    const { judge } = keeping()
    expect(judge({ ...RECORD, Meta: meta })).toEqual({ type: 'drifted', fields: ['boot'] })
    expect(judge({ ...RECORD, Meta: meta, Tags: ['x'] }, {})).toEqual({
      type: 'drifted',
      fields: ['boot', 'tags', 'check t', 'check h'],
    })
  })
})

describe('the holder of an id', () => {
  it('is the other run that lives, and nobody else', async () => {
    const { agent, record, signal } = keeping()
    const found = []
    for (const boot of [LIVE, FAR, DEAD, OWN]) {
      agent.answers('agent.service', { body: { ...RECORD, Meta: metaOf(boot) } })
      found.push(await record.holder(signal))
    }
    expect(found).toEqual([LIVE, FAR, undefined, undefined])
    agent.answers('agent.service', { body: { ...RECORD, Meta: null } })
    expect(await record.holder(signal)).toBeUndefined()
  })
})
