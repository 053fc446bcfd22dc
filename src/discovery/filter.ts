import { invalidOption } from '../errors/invalid-option.js'
import { chain, comparison, negation, type FilterTerm } from './filter-term.js'

/**
 * Expressions of https://developer.hashicorp.com/consul/api-docs/features/filtering that cannot be broken: every value is quoted, every
 * operator stands between what it may stand between, and parentheses stand where they are needed.
 */
export class FilterExpression {
  readonly #term: FilterTerm

  /** Use the `filter` builder. */
  constructor(term: FilterTerm) {
    this.#term = term
  }

  and(...others: readonly FilterExpression[]): FilterExpression {
    return FilterExpression.all(this, ...others)
  }

  or(...others: readonly FilterExpression[]): FilterExpression {
    return FilterExpression.any(this, ...others)
  }

  /** The expression as Consul reads it. */
  toString(): string {
    return this.#term.text
  }

  static all(...expressions: readonly FilterExpression[]): FilterExpression {
    return new FilterExpression(
      chain(
        'and',
        expressions.map((expression) => FilterExpression.#termOf(expression)),
      ),
    )
  }

  static any(...expressions: readonly FilterExpression[]): FilterExpression {
    return new FilterExpression(
      chain(
        'or',
        expressions.map((expression) => FilterExpression.#termOf(expression)),
      ),
    )
  }

  static not(expression: FilterExpression): FilterExpression {
    return new FilterExpression(negation(FilterExpression.#termOf(expression)))
  }

  static #termOf(expression: unknown): FilterTerm {
    if (expression instanceof FilterExpression) return expression.#term
    throw invalidOption('filter', expression, 'an expression of the `filter` builder')
  }
}

/** What can be asked of a text. */
export interface TextField {
  equals(value: string): FilterExpression
  notEquals(value: string): FilterExpression
  /** Whether the text has `part` in it. */
  includes(part: string): FilterExpression
  /** Whether it matches a regular expression of Go's syntax. */
  matches(pattern: string): FilterExpression
  notMatches(pattern: string): FilterExpression
  /** Equality with any of the values. */
  oneOf(...values: readonly string[]): FilterExpression
}

/** What can be asked of a number. */
export interface NumberField {
  equals(value: number): FilterExpression
  notEquals(value: number): FilterExpression
}

/** What can be asked of a list of texts. */
export interface ListField {
  includes(value: string): FilterExpression
  excludes(value: string): FilterExpression
  isEmpty(): FilterExpression
  isNotEmpty(): FilterExpression
}

/** What can be asked of a map of texts. */
export interface MapField {
  /** Whether there is such a key. */
  has(key: string): FilterExpression
  lacks(key: string): FilterExpression
  /** One entry. A map without the key equals nothing, includes nothing and matches nothing. */
  key(key: string): TextField
  isEmpty(): FilterExpression
  isNotEmpty(): FilterExpression
}

/** Fields of an instance, as `watchService` and `discover` filter them. */
export const filter = Object.freeze({
  serviceId: text('Service.ID'),
  serviceAddress: text('Service.Address'),
  servicePort: number('Service.Port'),
  tags: list('Service.Tags'),
  meta: map('Service.Meta'),
  nodeId: text('Node.ID'),
  nodeName: text('Node.Node'),
  nodeAddress: text('Node.Address'),
  datacenter: text('Node.Datacenter'),
  nodeMeta: map('Node.Meta'),
  /** All of the expressions. */
  all: (...expressions: readonly FilterExpression[]): FilterExpression => FilterExpression.all(...expressions),
  /** Any of the expressions. */
  any: (...expressions: readonly FilterExpression[]): FilterExpression => FilterExpression.any(...expressions),
  not: (expression: FilterExpression): FilterExpression => FilterExpression.not(expression),
})

function text(field: string): TextField {
  const equals = (value: string): FilterExpression => make(`${field} == ${quote(value)}`)
  return Object.freeze({
    equals,
    notEquals: (value: string) => make(`${field} != ${quote(value)}`),
    includes: (part: string) => make(`${quote(part)} in ${field}`),
    matches: (pattern: string) => make(`${field} matches ${quote(pattern)}`),
    notMatches: (pattern: string) => make(`${field} not matches ${quote(pattern)}`),
    oneOf: (...values: readonly string[]) => FilterExpression.any(...values.map(equals)),
  })
}

function number(field: string): NumberField {
  return Object.freeze({
    equals: (value: number) => make(`${field} == ${whole(value)}`),
    notEquals: (value: number) => make(`${field} != ${whole(value)}`),
  })
}

function list(field: string): ListField {
  return Object.freeze({
    includes: (value: string) => make(`${quote(value)} in ${field}`),
    excludes: (value: string) => make(`${quote(value)} not in ${field}`),
    isEmpty: () => make(`${field} is empty`),
    isNotEmpty: () => make(`${field} is not empty`),
  })
}

function map(field: string): MapField {
  const has = (key: string): FilterExpression => make(`${quote(key)} in ${field}`)
  const entry = (key: string): TextField => {
    const value = text(`${field}[${quote(key)}]`)
    // Consul 1.8 takes what is not there to match every pattern.
    return Object.freeze({ ...value, matches: (pattern: string) => has(key).and(value.matches(pattern)) })
  }
  return Object.freeze({
    has,
    lacks: (key: string) => make(`${quote(key)} not in ${field}`),
    key: entry,
    isEmpty: () => make(`${field} is empty`),
    isNotEmpty: () => make(`${field} is not empty`),
  })
}

function make(text: string): FilterExpression {
  return new FilterExpression(comparison(text))
}

/**
 * A text as a literal of Go, which is what Consul unquotes. A quote inside it ends the literal even after a backslash, so it is written
 * by its number; so is everything that is not printable ASCII, of which older parsers are not sure.
 */
function quote(value: string): string {
  if (typeof value !== 'string' || /\p{Surrogate}/u.test(value)) {
    throw invalidOption('filter', value, 'a string that is valid Unicode')
  }
  return `"${value.replace(/[^\x20-\x7e]|["\\]/gu, escape)}"`
}

function escape(character: string): string {
  const code = character.codePointAt(0) ?? 0
  return code > 0xffff ? `\\U${code.toString(16).padStart(8, '0')}` : `\\u${code.toString(16).padStart(4, '0')}`
}

function whole(value: number): number {
  if (!Number.isSafeInteger(value)) throw invalidOption('filter', value, 'a whole number')
  return value
}
