/** The grammar of filter expressions. See https://developer.hashicorp.com/consul/api-docs/features/filtering. */
import type { Expression, MatchExpression, MatchOperator } from './expression.js'
import { Scanner } from './scanner.js'

/**
 * Parses a filter expression.
 * @throws FilterError with the real agent's words when it is none.
 */
export function parseExpression(text: string): Expression {
  const scanner = new Scanner(text)
  const expression = scanner.attempt(() => {
    scanner.maybeSpace()
    const found = orExpression(scanner)
    if (found === undefined) return undefined
    scanner.maybeSpace()
    return scanner.atEnd() ? found : undefined
  })
  if (expression === undefined) throw scanner.failure()
  return expression
}

type Read<Result> = (scanner: Scanner) => Result | undefined

function orExpression(scanner: Scanner): Expression | undefined {
  return chain(scanner, 'or', andExpression, orExpression)
}

function andExpression(scanner: Scanner): Expression | undefined {
  return chain(scanner, 'and', notExpression, andExpression)
}

function chain(
  scanner: Scanner,
  type: 'and' | 'or',
  first: Read<Expression>,
  rest: Read<Expression>,
): Expression | undefined {
  const left = first(scanner)
  if (left === undefined) return undefined
  const right = scanner.attempt(() =>
    scanner.space() && scanner.literal(type) && scanner.space() ? rest(scanner) : undefined,
  )
  return right === undefined ? left : { type, left, right }
}

function notExpression(scanner: Scanner): Expression | undefined {
  const negated = scanner.attempt(() =>
    scanner.literal('not') && scanner.space() ? notExpression(scanner) : undefined,
  )
  if (negated === undefined) return grouping(scanner)
  // Two negations take each other away.
  return negated.type === 'not' ? negated.operand : { type: 'not', operand: negated }
}

function grouping(scanner: Scanner): Expression | undefined {
  const inner = scanner.attempt(() => {
    if (!scanner.literal('(')) return undefined
    scanner.maybeSpace()
    const expression = orExpression(scanner)
    if (expression === undefined) return undefined
    scanner.maybeSpace()
    if (scanner.literal(')')) return expression
    throw scanner.ruleFailure('grouping', 'Unmatched parentheses')
  })
  return inner ?? matchExpression(scanner)
}

function matchExpression(scanner: Scanner): MatchExpression | undefined {
  return selectorFirst(scanner) ?? valueFirst(scanner)
}

interface Operator {
  readonly operator: MatchOperator
  readonly isNegated: boolean
}

function selectorFirst(scanner: Scanner): MatchExpression | undefined {
  const withValue = scanner.attempt(() => {
    const selector = readSelector(scanner)
    const operator = selector === undefined ? undefined : valueOperator(scanner)
    const value = operator === undefined ? undefined : readValue(scanner)
    return selector === undefined || operator === undefined || value === undefined
      ? undefined
      : match(selector, operator, value)
  })
  if (withValue !== undefined) return withValue
  return scanner.attempt(() => {
    const selector = readSelector(scanner)
    const operator = selector === undefined ? undefined : emptinessOperator(scanner)
    return selector === undefined || operator === undefined ? undefined : match(selector, operator, '')
  })
}

function valueFirst(scanner: Scanner): MatchExpression | undefined {
  return scanner.attempt(() => {
    const value = readValue(scanner)
    const operator = value === undefined ? undefined : membershipOperator(scanner)
    if (value === undefined || operator === undefined) return undefined
    const start = scanner.position
    const selector = readSelector(scanner)
    if (selector === undefined) throw scanner.ruleFailure('match', 'Invalid selector', start)
    return match(selector, operator, value)
  })
}

function match(selector: readonly string[], { operator, isNegated }: Operator, value: string): MatchExpression {
  return { type: 'match', selector, operator, isNegated, value }
}

function valueOperator(scanner: Scanner): Operator | undefined {
  return (
    symbol(scanner, '==', { operator: 'Equal', isNegated: false }) ??
    symbol(scanner, '!=', { operator: 'Equal', isNegated: true }) ??
    word(scanner, ['contains'], { operator: 'In', isNegated: false }) ??
    word(scanner, ['not', 'contains'], { operator: 'In', isNegated: true }) ??
    word(scanner, ['matches'], { operator: 'Matches', isNegated: false }) ??
    word(scanner, ['not', 'matches'], { operator: 'Matches', isNegated: true })
  )
}

function membershipOperator(scanner: Scanner): Operator | undefined {
  return (
    word(scanner, ['in'], { operator: 'In', isNegated: false }) ??
    word(scanner, ['not', 'in'], { operator: 'In', isNegated: true })
  )
}

function emptinessOperator(scanner: Scanner): Operator | undefined {
  const plain = scanner.attempt(() => (words(scanner, ['is', 'empty']) ? true : undefined))
  if (plain === true) return { operator: 'Is Empty', isNegated: false }
  const negated = scanner.attempt(() => (words(scanner, ['is', 'not', 'empty']) ? true : undefined))
  return negated === true ? { operator: 'Is Empty', isNegated: true } : undefined
}

function symbol(scanner: Scanner, sign: string, operator: Operator): Operator | undefined {
  return scanner.attempt(() => {
    scanner.maybeSpace()
    if (!scanner.literal(sign)) return undefined
    scanner.maybeSpace()
    return operator
  })
}

function word(scanner: Scanner, parts: readonly string[], operator: Operator): Operator | undefined {
  return scanner.attempt(() => (words(scanner, parts) && scanner.space() ? operator : undefined))
}

function words(scanner: Scanner, parts: readonly string[]): boolean {
  return parts.every((part) => scanner.space() && scanner.literal(part))
}

function readSelector(scanner: Scanner): readonly string[] | undefined {
  const first = readIdentifier(scanner)
  if (first === undefined) return undefined
  const path = [first]
  for (;;) {
    const next =
      scanner.attempt(() => (scanner.literal('.') ? readIdentifier(scanner) : undefined)) ??
      scanner.attempt(() => readIndex(scanner))
    if (next === undefined) return path
    path.push(next)
  }
}

function readIndex(scanner: Scanner): string | undefined {
  if (!scanner.literal('[')) return undefined
  scanner.maybeSpace()
  const start = scanner.position
  const key = readString(scanner)
  if (key === undefined) throw scanner.ruleFailure('index', 'Invalid index', start)
  scanner.maybeSpace()
  if (!scanner.literal(']')) throw scanner.ruleFailure('index', 'Unclosed index expression')
  return key
}

function readIdentifier(scanner: Scanner): string | undefined {
  const first = scanner.one(/[a-zA-Z]/, '[a-zA-Z]')
  return first === undefined ? undefined : first + scanner.many(/[a-zA-Z0-9_]/, '[a-zA-Z0-9_]')
}

function readValue(scanner: Scanner): string | undefined {
  const selector = scanner.attempt(() => readSelector(scanner))
  if (selector !== undefined) return selector.join('.')
  return scanner.attempt(() => readNumber(scanner)) ?? scanner.attempt(() => readString(scanner))
}

function readNumber(scanner: Scanner): string | undefined {
  const sign = scanner.literal('-') ? '-' : ''
  const whole = scanner.literal('0') ? '0' : readDigits(scanner)
  if (whole === undefined) return undefined
  const fraction = scanner.attempt(() => {
    const digits = scanner.literal('.') ? scanner.many(/\d/, '[0-9]') : ''
    return digits === '' ? undefined : `.${digits}`
  })
  // Nothing but white space, a bracket or the end may follow a number.
  if (scanner.peek(/^[ \t\r\n)]/) || scanner.atEnd()) return `${sign}${whole}${fraction ?? ''}`
  throw scanner.ruleFailure('number', 'Invalid number literal')
}

function readDigits(scanner: Scanner): string | undefined {
  const first = scanner.one(/[1-9]/, '[1-9]')
  return first === undefined ? undefined : first + scanner.many(/\d/, '[0-9]')
}

function readString(scanner: Scanner): string | undefined {
  if (scanner.literal('`')) {
    const raw = scanner.many(/[^`]/, '[^`]')
    if (scanner.literal('`')) return raw
    throw scanner.ruleFailure('string', 'Unterminated string literal')
  }
  const start = scanner.position
  if (!scanner.literal('"')) return undefined
  const raw = scanner.many(/[^"]/, '[^"]')
  if (!scanner.literal('"')) throw scanner.ruleFailure('string', 'Unterminated string literal')
  // A quote cannot be escaped: the text ends at the next one, and what is left must be whole.
  const value = unescape(raw)
  if (value === undefined) throw scanner.ruleFailure('string', 'invalid syntax', start)
  return value
}

function unescape(raw: string): string | undefined {
  if (!raw.includes('\\')) return raw
  try {
    const value: unknown = JSON.parse(`"${raw}"`)
    return typeof value === 'string' ? value : undefined
  } catch {
    return undefined
  }
}
