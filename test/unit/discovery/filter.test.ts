import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { filter, type FilterExpression } from '../../../src/discovery/filter.js'
import { compileFilter } from '../../../src/testing/filter/filter.js'
import { anyFilter, anyInstance, unlessRefused } from './any-filter.js'
import { comparisonsRead } from './consul-parser.js'

const { tags, all, any, not } = filter
const tag = (name: number | string): FilterExpression => tags.includes(String(name))
const many = (count: number): FilterExpression[] => Array.from({ length: count }, (_, index) => tag(index))
const text = (expression: FilterExpression): string => expression.toString()

/** How often Consul reads each comparison, on average. */
function readings(expression: FilterExpression): number {
  const comparisons = text(expression).split(' in Service.Tags').length - 1
  return comparisonsRead(text(expression)) / comparisons
}

describe('a filter', () => {
  it.each([
    [filter.tags.includes('v1').toString(), '"v1" in Service.Tags'],
    [filter.meta.key('version').equals('2').toString(), 'Service.Meta["version"] == "2"'],
    [
      filter.meta.key('version').matches('^2').toString(),
      '"version" in Service.Meta and Service.Meta["version"] matches "^2"',
    ],
    [filter.servicePort.notEquals(80).toString(), 'Service.Port != 80'],
    [filter.not(filter.tags.isEmpty()).toString(), 'not Service.Tags is empty'],
    [
      filter.any(filter.nodeName.matches('^web'), filter.tags.excludes('old').and(filter.meta.has('zone'))).toString(),
      '"old" not in Service.Tags and "zone" in Service.Meta or Node.Node matches "^web"',
    ],
    [filter.serviceId.oneOf('a', 'b').toString(), 'Service.ID == "a" or Service.ID == "b"'],
  ])('reads %s', (expression, expected) => {
    expect(expression).toBe(expected)
  })

  it('cannot be broken out of by a value', () => {
    const text = filter.serviceId.equals('" or Service.ID != "\\').toString()
    expect(text).toBe('Service.ID == "\\u0022 or Service.ID != \\u0022\\u005c"')
  })

  it('refuses what Consul could not read', () => {
    expect(() => filter.servicePort.equals(1.5)).toThrow(/whole number/)
    expect(() => filter.serviceId.equals('\ud800')).toThrow(/Unicode/)
  })
})

describe('a combination', () => {
  it('has parentheses only where they change the meaning', () => {
    const [a, b, c, d] = [tag('a'), tag('b'), tag('c'), tag('d')]
    const said = (expression: FilterExpression): string => text(expression).replaceAll(/"(\w)" in Service\.Tags/g, '$1')
    expect(said(a.and(b).and(c, d))).toBe('a and b and c and d')
    expect(said(a.or(b.or(c)))).toBe('a or b or c')
    expect(said(a.and(b).or(c.and(d)))).toBe('a and b or c and d')
    expect(said(a.or(b).and(c))).toBe('(a or b) and c')
    expect(said(all(any(a), all(b)))).toBe('a and b')
    expect(said(not(a))).toBe('not a')
    expect(said(not(not(a.or(b))))).toBe('a or b')
    expect(said(not(a.or(b)))).toBe('not a and not b')
    expect(said(not(a.and(not(b)).or(c)))).toBe('(not a or b) and not c')
  })

  it('means what was built, however it is nested', () => {
    fc.assert(
      fc.property(anyFilter, fc.array(anyInstance, { minLength: 1, maxLength: 5 }), (modelled, instances) => {
        const expression = unlessRefused(modelled.make)
        fc.pre(expression !== undefined)
        const finds = compileFilter(text(expression), 'health')
        for (const instance of instances) {
          const row = { Service: { Tags: instance.tags, Meta: instance.meta } }
          expect(finds(row), text(expression)).toBe(modelled.finds(instance))
        }
      }),
    )
  })

  it('needs at least one expression, each of the builder', () => {
    expect(() => all()).toThrow('at least one expression')
    expect(() => any()).toThrow('at least one expression')
    expect(() => tag('a').and('Service.ID == x' as never)).toThrow(
      'filter is "Service.ID == x"; expected an expression',
    )
    expect(() => not('Service.ID == x' as never)).toThrow(expect.objectContaining({ code: 'PROCONSUL_INVALID_OPTION' }))
  })
})

describe('an expression of the builder', () => {
  it('is read by Consul in one go, however long a chain is', () => {
    expect(readings(many(50).reduce((chain, next) => chain.and(next)))).toBeLessThan(3)
    expect(readings(many(50).reduce((chain, next) => chain.or(next)))).toBeLessThan(3)
    expect(readings(many(50).reduceRight((chain, next) => all(next, chain)))).toBeLessThan(3)
    expect(readings(all(any(...many(50)), any(...many(50)), any(...many(50))))).toBeLessThan(7)
  })

  it('costs as little when `and` and `or` take turns', () => {
    const turns = (combine: (nest: FilterExpression, next: FilterExpression, isAnd: boolean) => FilterExpression) =>
      readings(many(50).reduce((nest, next, index) => combine(nest, next, index % 2 === 0)))
    expect(turns((nest, next, isAnd) => (isAnd ? nest.and(next) : nest.or(next)))).toBeLessThan(6)
    expect(turns((nest, next, isAnd) => (isAnd ? all(next, nest) : any(next, nest)))).toBeLessThan(6)
  })

  it('costs as little whatever is negated', () => {
    const negated = (count: number, nest: FilterExpression): FilterExpression =>
      count === 0 ? nest : negated(count - 1, not(nest))
    expect(text(negated(50, tag('a')))).toBe(text(tag('a')))
    expect(readings(negated(51, all(...many(50))))).toBeLessThan(3)
    expect(readings(many(50).reduce((nest, next) => not(nest.and(next))))).toBeLessThan(6)
  })

  it('is cheap or refused at once, with the reason', () => {
    fc.assert(
      fc.property(anyFilter, ({ make }) => {
        const expression = unlessRefused(make)
        const said = expression === undefined ? '"a" in Service.Tags' : text(expression)
        const comparisons = said.match(/Service\./g)?.length ?? 0
        expect(comparisonsRead(said) / comparisons, said).toBeLessThan(49)
      }),
      { numRuns: 300 },
    )
    const bush = (depth: number): FilterExpression =>
      depth === 0
        ? tag('a')
        : depth % 2 === 0
          ? all(bush(depth - 1), bush(depth - 1))
          : any(bush(depth - 1), bush(depth - 1))
    expect(readings(bush(4))).toBeLessThan(49)
    expect(() => bush(5)).toThrow(expect.objectContaining({ code: 'PROCONSUL_INVALID_OPTION' }))
    expect(() => bush(5)).toThrow('each other')
  })
})
