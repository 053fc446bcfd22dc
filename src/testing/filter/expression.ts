/** What a filter expression says, once it is parsed. */

/** How a value is compared. */
export type MatchOperator = 'Equal' | 'Is Empty' | 'In' | 'Matches'

/** One comparison. */
export interface MatchExpression {
  readonly type: 'match'
  readonly selector: readonly string[]
  readonly operator: MatchOperator
  readonly isNegated: boolean
  /** What is compared with; empty for the operators that need nothing. */
  readonly value: string
}

/** A filter expression. */
export type Expression =
  | MatchExpression
  | { readonly type: 'not'; readonly operand: Expression }
  | { readonly type: 'and' | 'or'; readonly left: Expression; readonly right: Expression }

/** An expression that cannot be used, with the real agent's words. */
export class FilterError extends Error {
  override readonly name = 'FilterError'
}
