import { invalidOption } from '../errors/invalid-option.js'

/**
 * A path below `/v1` from literal text and encoded segments: path`/health/service/${name}`.
 * @throws ProconsulError `PROCONSUL_INVALID_OPTION` for a segment that no path can carry
 */
export function path(literals: TemplateStringsArray, ...segments: readonly string[]): string {
  const encoded = segments.map((segment) => encodeURIComponent(checkSegment('the name or id', segment)))
  return literals.reduce((text, literal, index) => text + (encoded[index - 1] ?? '') + literal)
}

/** A name or id that stays itself in a path: agents clean `.` and `..` away, and refuse control characters. */
export function checkSegment(option: string, segment: string): string {
  if (segment === '.' || segment === '..' || /[\p{Cc}\p{Cs}]/u.test(segment)) {
    throw invalidOption(option, segment, "well-formed text that is not '.' or '..', without control characters")
  }
  return segment
}
