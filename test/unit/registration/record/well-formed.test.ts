import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { resolveDefinition } from '../../../../src/registration/definition/resolve-definition.js'
import type { ServiceDefinition } from '../../../../src/registration/definition/service-definition.js'
import { wellFormed } from '../../../../src/registration/record/well-formed.js'
import { CHECKS, keeping, RECORD, WEB } from './keeping.js'

const HALF = '\ud83d'
const STORED = '\ufffd'
const resolve = (definition: ServiceDefinition) => resolveDefinition(definition, { hostname: 'h', boot: 'b' })

describe('text of which the agent stores something else', () => {
  it.each([
    ['a tag', { tags: [`a${HALF}`] }, { Tags: [`a${STORED}`] }],
    ['a meta value', { meta: { a: `${HALF}b` } }, { Meta: { ...RECORD.Meta, a: `${STORED}b` } }],
    ['a tag of nothing else', { tags: [`${HALF}${HALF}`, 'b'] }, { Tags: [`${STORED}${STORED}`, 'b'] }],
  ])('is right where it is stored, in %s', (_where, given, shown) => {
    const { judge } = keeping({ ...WEB, ...given })
    expect(judge({ ...RECORD, ...shown })).toEqual({ type: 'right' })
  })

  it('is right where it is stored, in name and notes of a check', () => {
    const { judge } = keeping({ ...WEB, checks: [{ id: 't', name: `n${HALF}`, notes: `${HALF}!` }] })
    expect(judge(RECORD, { t: { ...CHECKS.t, Name: `n${STORED}`, Notes: `${STORED}!` } })).toEqual({ type: 'right' })
    expect(judge(RECORD, { t: { ...CHECKS.t, Name: 'n', Notes: `${STORED}!` } })).toMatchObject({ type: 'drifted' })
  })

  it('stays so through an update', async () => {
    const { record, judge, put, signal } = keeping()
    await put('passing')
    const next = resolve({ ...WEB, meta: { a: HALF } })
    const replacement = { status: 'passing', fresh: 'passing', onTaken: () => Promise.resolve() } as const
    await record.replace(next, replacement, signal)
    expect(judge({ ...RECORD, Meta: { ...RECORD.Meta, a: STORED } })).toEqual({ type: 'right' })
  })
})

describe('a definition made well-formed', () => {
  it('is itself where it was, whatever text it holds', () => {
    const text = fc.string({ unit: 'binary', minLength: 1, maxLength: 20 })
    fc.assert(
      fc.property(text, (tag) => {
        const definition = resolve({ name: 'web', id: 'w', tags: [tag], meta: { a: '\\ud83d' } })
        expect(wellFormed(definition).service).toEqual(definition.service)
      }),
    )
  })

  it('is what JSON and UTF-8 make of it', () => {
    const units = fc.array(fc.integer({ min: 0, max: 0xffff }), { minLength: 1, maxLength: 8 })
    fc.assert(
      fc.property(units, (codes) => {
        const tag = String.fromCharCode(...codes)
        const { service } = wellFormed(resolve({ name: 'web', id: 'w', tags: [tag] }))
        expect(service.tags).toEqual([Buffer.from(tag).toString()])
      }),
    )
  })
})
