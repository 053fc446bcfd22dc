import { metaHeaders } from '../server/query-endpoint.js'
import { Refusal } from '../wire/reply.js'
import { compileExpression } from './evaluator.js'
import { FilterError } from './expression.js'
import { FIELDS, type FilterKind } from './fields.js'
import { parseExpression } from './parser.js'

/**
 * Turns the parameter `filter` into a test; without one everything passes.
 * @throws Refusal 500 with the real agent's words for an expression that it refuses.
 */
export function compileFilter(expression: string, kind: FilterKind): (row: object) => boolean {
  if (expression === '') return () => true
  try {
    return compileExpression(parseExpression(expression), FIELDS[kind])
  } catch (error) {
    if (!(error instanceof FilterError)) throw error
    // The agent's own checks leave out the introduction.
    if (kind === 'agent-check') throw new Refusal(500, error.message)
    const headers = kind === 'agent-service' ? {} : metaHeaders(1n, false, 0)
    throw new Refusal(500, `Failed to create boolean expression evaluator: ${error.message}`, headers)
  }
}
