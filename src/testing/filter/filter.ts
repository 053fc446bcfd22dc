import { metaHeaders } from '../server/query-endpoint.js'
import { Refusal } from '../wire/reply.js'
import { compileExpression } from './evaluator.js'
import { FilterError } from './expression.js'
import { FIELDS, type FilterKind } from './fields.js'
import { parseExpression } from './parser.js'

/**
 * Turns the parameter `filter` into a test; without one everything passes.
 * @throws Refusal 500 with the real agent's words for an expression that it refuses; for the agent's own checks the test itself throws, for
 * there the agent looks at the fields only when it has a check to apply it to.
 */
export function compileFilter(expression: string, kind: FilterKind): (row: object) => boolean {
  if (expression === '') return () => true
  const headers = kind.startsWith('agent-') ? {} : metaHeaders(1n, false, 0)
  const parsed = refusing(() => parseExpression(expression), INTRODUCTION, headers)
  if (kind !== 'agent-check') return refusing(() => compileExpression(parsed, FIELDS[kind]), INTRODUCTION, headers)
  return (row) => refusing(() => compileExpression(parsed, FIELDS[kind]), '', headers)(row)
}

const INTRODUCTION = 'Failed to create boolean expression evaluator: '

function refusing<T>(work: () => T, introduction: string, headers: Readonly<Record<string, string>>): T {
  try {
    return work()
  } catch (error) {
    if (!(error instanceof FilterError)) throw error
    throw new Refusal(500, introduction + error.message, headers)
  }
}
