const WORDS = new Set(['(', ')', 'and', 'or', 'not'])
/** One of these words, or a whole comparison of texts without spaces and brackets. */
const TOKEN = /[()]|\b(?:and|or|not)\b|[^\s()]+ (?:==|!=|(?:not )?(?:in|matches)) [^\s()]+/g

/**
 * How often Consul reads a comparison while it parses an expression: an account of its grammar (`grammar.peg` of hashicorp/go-bexpr),
 * whose parser tries one form after the other and remembers nothing of what it has read.
 */
export function comparisonsRead(expression: string): number {
  const tokens = expression.match(TOKEN) ?? []
  let at = 0
  let read = 0

  const is = (token: string): boolean => {
    if (tokens[at] !== token) return false
    at += 1
    return true
  }
  const attempt = (rule: () => boolean): boolean => {
    const before = at
    if (rule()) return true
    at = before
    return false
  }
  const or = (): boolean => attempt(() => and() && is('or') && or()) || and()
  const and = (): boolean => attempt(() => not() && is('and') && and()) || not()
  const not = (): boolean => attempt(() => is('not') && not()) || group()
  const group = (): boolean => attempt(() => is('(') && or() && is(')')) || comparison()
  const comparison = (): boolean => {
    if (at >= tokens.length || WORDS.has(tokens[at] ?? '')) return false
    at += 1
    read += 1
    return true
  }

  const isWhole = attempt(() => is('(') && or() && is(')') && at === tokens.length) || (or() && at === tokens.length)
  if (!isWhole) throw new Error(`not an expression: ${expression}`)
  return read
}
