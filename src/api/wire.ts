import { ProconsulError } from '../errors/proconsul-error.js'
import type { HttpAnswer } from '../http/request.js'
import type { QueryMeta } from '../http/query-meta.js'

/**
 * The wire boundary: JSON of the agent gets its type here and nowhere else. Types of the wire are written by the endpoint files with
 * every field that an agent may leave out or send as null marked so; what they hand on is complete, readonly and camelCase.
 */

/** A value with what the agent said about it. */
export interface Answer<T> {
  readonly value: T
  readonly meta: QueryMeta
}

/** A list as Go sends it: null when it is empty. */
export type WireList<T> = readonly T[] | null | undefined

/** A map as Go sends it: null when it is empty. */
export type WireMap<T> = Readonly<Record<string, T>> | null | undefined

/** The answer's list; a body that is none is `PROCONSUL_BAD_RESPONSE`. */
export function listOf<Wire>(answer: HttpAnswer): readonly Wire[] {
  const parsed = parse(answer)
  if (parsed === null) return []
  if (!Array.isArray(parsed)) throw unexpected(answer, 'a list')
  return parsed as readonly Wire[]
}

/** The answer's object; a body that is none is `PROCONSUL_BAD_RESPONSE`. */
export function objectOf<Wire>(answer: HttpAnswer): Wire {
  const parsed = parse(answer)
  if (typeof parsed !== 'object' || parsed === null || Array.isArray(parsed)) throw unexpected(answer, 'an object')
  return parsed as Wire
}

/** The answer's map, empty where Go sends null. */
export function mapOf<Wire>(answer: HttpAnswer): Readonly<Record<string, Wire>> {
  return parse(answer) === null ? {} : objectOf<Readonly<Record<string, Wire>>>(answer)
}

/** The answer's object, or undefined where Go sends null for nothing. */
export function nullableOf<Wire>(answer: HttpAnswer): Wire | undefined {
  return parse(answer) === null ? undefined : objectOf<Wire>(answer)
}

/** The answer's true or false. */
export function booleanOf(answer: HttpAnswer): boolean {
  const parsed = parse(answer)
  if (typeof parsed !== 'boolean') throw unexpected(answer, 'true or false')
  return parsed
}

/** The answer's text. */
export function stringOf(answer: HttpAnswer): string {
  const parsed = parse(answer)
  if (typeof parsed !== 'string') throw unexpected(answer, 'a string')
  return parsed
}

function parse(answer: HttpAnswer): unknown {
  try {
    return JSON.parse(answer.body.toString('utf8'))
  } catch {
    // What JSON.parse throws quotes the body, which may be anything.
    throw new ProconsulError(
      'PROCONSUL_BAD_RESPONSE',
      `${answer.operation}: the answer is not JSON; is there a Consul agent at this address?`,
    )
  }
}

function unexpected(answer: HttpAnswer, expected: string): ProconsulError {
  return new ProconsulError('PROCONSUL_BAD_RESPONSE', `${answer.operation}: the answer is not ${expected}`)
}
