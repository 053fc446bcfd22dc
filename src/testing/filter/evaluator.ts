/** Turns an expression into a test, after checking that its fields exist and can be compared so. */
import { FilterError, type Expression, type MatchExpression } from './expression.js'
import { compileGoRegExp, GoRegExpError } from '../wire/go-reg-exp.js'
import type { Field, Fields } from './fields.js'

/** Whether a row passes. */
export type RowTest = (row: unknown) => boolean

/**
 * The test that an expression stands for.
 * @throws FilterError with the real agent's words for unknown fields and impossible comparisons.
 */
export function compileExpression(expression: Expression, fields: Fields): RowTest {
  switch (expression.type) {
    case 'match':
      return compileMatch(expression, fields)
    case 'not': {
      const operand = compileExpression(expression.operand, fields)
      return (row) => !operand(row)
    }
    case 'and': {
      const [left, right] = [compileExpression(expression.left, fields), compileExpression(expression.right, fields)]
      return (row) => left(row) && right(row)
    }
    case 'or': {
      const [left, right] = [compileExpression(expression.left, fields), compileExpression(expression.right, fields)]
      return (row) => left(row) || right(row)
    }
  }
}

function compileMatch(match: MatchExpression, fields: Fields): RowTest {
  const { field, steps } = resolve(match, fields)
  const test = compileTest(match, field)
  return (row) => {
    const found = valuesAt(row, steps)
    // What is not there equals nothing and is in nothing.
    if (found.length === 0) return match.isNegated
    return found.some((value) => test(value) !== match.isNegated)
  }
}

function resolve(
  { selector }: MatchExpression,
  fields: Fields,
): { readonly field: Field; readonly steps: readonly Step[] } {
  let field: Field = fields
  const steps: Step[] = []
  for (const name of selector) {
    steps.push({ name, isMapKey: isMap(field) })
    const next = below(field, name)
    if (next === undefined) {
      const known = steps.map((step) => step.name).join('.')
      throw new FilterError(`Selector ${JSON.stringify(known)} is not valid`)
    }
    field = next
  }
  return { field, steps }
}

function below(field: Field, name: string): Field | undefined {
  if (field === 'text-map') return 'string'
  if (typeof field === 'string') return undefined
  if ('fields' in field) return field.fields[name]
  return field.each === 'map' ? field.of : field.of.fields[name]
}

function compileTest(match: MatchExpression, field: Field): (value: unknown) => boolean {
  const { operator, value } = match
  if (operator === 'Equal' && (field === 'string' || field === 'int' || field === 'bool'))
    return equalTest(match, field)
  if (operator === 'Matches' && field === 'string') {
    const expression = compileRegExp(value)
    return (found) => expression.test(typeof found === 'string' ? found : '')
  }
  if (operator === 'In' && (field === 'string' || field === 'strings' || isMap(field))) {
    return (found) => isIn(value, found)
  }
  if (operator === 'Is Empty' && (field === 'strings' || field === 'text-map' || isCollection(field))) return isEmpty
  const name = match.isNegated ? NEGATED_NAMES[operator] : operator
  throw new FilterError(
    `Invalid match operator ${JSON.stringify(name)} for selector ${JSON.stringify(match.selector.join('.'))}`,
  )
}

const NEGATED_NAMES = { Equal: 'Not Equal', In: 'Not In', Matches: 'Not Matches', 'Is Empty': 'Is Not Empty' } as const

function isMap(field: Field): boolean {
  return field === 'text-map' || (typeof field === 'object' && 'each' in field && field.each === 'map')
}

function isCollection(field: Field): boolean {
  return typeof field === 'object' && 'each' in field
}

function isEmpty(found: unknown): boolean {
  return typeof found !== 'object' || found === null || Object.keys(found).length === 0
}

function isIn(value: string, found: unknown): boolean {
  if (Array.isArray(found)) return found.includes(value)
  if (typeof found === 'string') return found.includes(value)
  return typeof found === 'object' && found !== null && Object.hasOwn(found, value)
}

function equalTest(match: MatchExpression, field: 'string' | 'int' | 'bool'): (value: unknown) => boolean {
  const { value } = match
  const refuse = (reason: string): FilterError =>
    new FilterError(
      `Failed to coerce value ${JSON.stringify(value)} for selector ${JSON.stringify(match.selector.join('.'))}: ${reason}`,
    )
  if (field === 'int') {
    if (!/^[+-]?\d+$/.test(value)) throw refuse(`strconv.ParseInt: parsing ${JSON.stringify(value)}: invalid syntax`)
    return (found) => found === Number(value)
  }
  if (field === 'bool') {
    const isTrue = /^(?:1|t|T|true|TRUE|True)$/.test(value)
    if (!isTrue && !/^(?:0|f|F|false|FALSE|False)$/.test(value)) {
      throw refuse(`strconv.ParseBool: parsing ${JSON.stringify(value)}: invalid syntax`)
    }
    return (found) => (found === true) === isTrue
  }
  return (found) => (found ?? '') === value
}

function compileRegExp(source: string): RegExp {
  try {
    return compileGoRegExp(source)
  } catch (error) {
    if (!(error instanceof GoRegExpError)) throw error
    throw new FilterError(`Failed to compile regular expression ${JSON.stringify(source)}: ${error.message}`)
  }
}

/** One step of a path. */
interface Step {
  readonly name: string
  /** A map may lack a key; an object that lacks a field has only left it out because it is empty. */
  readonly isMapKey: boolean
}

/** The values that a path leads to; a list on the way leads to several. */
function valuesAt(row: unknown, steps: readonly Step[]): readonly unknown[] {
  let values: readonly unknown[] = [row]
  for (const step of steps) {
    values = values.flatMap((value) => {
      const entries: readonly unknown[] = Array.isArray(value) ? value : [value]
      return entries.flatMap((entry) => childOf(entry, step))
    })
  }
  return values
}

function childOf(entry: unknown, { name, isMapKey }: Step): readonly unknown[] {
  const children = new Map<string, unknown>(typeof entry === 'object' && entry !== null ? Object.entries(entry) : [])
  if (children.has(name)) return [children.get(name)]
  return isMapKey ? [] : [undefined]
}
