import { invalidOption } from '../errors/invalid-option.js'

/**
 * A filter expression in the form that Consul parses fastest. Its parser (`grammar.peg` of hashicorp/go-bexpr) tries one form after the
 * other and remembers nothing: the last operand of every chain is read twice, with all that is in its parentheses. So chains are flat,
 * a negation stands at single comparisons only, and the operand that is read fastest comes last.
 */
export interface FilterTerm {
  readonly type: 'comparison' | 'and' | 'or'
  readonly text: string
  /** What a chain chains; nothing for a comparison. */
  readonly operands: readonly FilterTerm[]
  /** How many comparisons there are. */
  readonly comparisons: number
  /** How many comparisons are read until the parser is through with it. */
  readonly readings: number
}

/** Of each comparison, on average. `(a or b) and (c or d)` takes four and a half, a chain of any length two. */
const MOST_READINGS = 12

/** A single comparison. */
export function comparison(text: string): FilterTerm {
  return { type: 'comparison', text, operands: [], comparisons: 1, readings: 1 }
}

/**
 * All, or any, of the terms.
 * @throws ProconsulError `PROCONSUL_INVALID_OPTION` when Consul would read it too often
 */
export function chain(type: 'and' | 'or', terms: readonly FilterTerm[]): FilterTerm {
  const flat = terms.flatMap((term) => (term.type === type ? term.operands : [term]))
  const operands = flat.sort((a, b) => b.readings - a.readings)
  const last = operands.at(-1)
  if (last === undefined) throw invalidOption('filter', terms, 'at least one expression')
  if (operands.length === 1) return last
  const comparisons = operands.reduce((sum, operand) => sum + operand.comparisons, 0)
  const readings = [...operands, last].reduce((sum, operand) => sum + readingsIn(type, operand), 0)
  const text = operands.map((operand) => textIn(type, operand)).join(` ${type} `)
  if (readings > MOST_READINGS * comparisons) {
    throw invalidOption(
      'filter',
      text,
      '`and` and `or` that are not so often inside each other: Consul would parse it for long',
    )
  }
  return { type, text, operands, comparisons, readings }
}

/** The opposite: of a chain, the other chain of the opposites. */
export function negation({ type, text, operands }: FilterTerm): FilterTerm {
  if (type !== 'comparison') return chain(type === 'and' ? 'or' : 'and', operands.map(negation))
  return comparison(text.startsWith(NOT) ? text.slice(NOT.length) : NOT + text)
}

const NOT = 'not '

/** A comparison in an `or` is looked at twice, for an `and` may follow it. */
function readingsIn(type: 'and' | 'or', { type: inner, readings }: FilterTerm): number {
  return type === 'or' && inner === 'comparison' ? 2 * readings : readings
}

/** Consul takes `and` before `or`. */
function textIn(type: 'and' | 'or', { type: inner, text }: FilterTerm): string {
  return type === 'and' && inner === 'or' ? `(${text})` : text
}
