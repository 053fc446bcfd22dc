/**
 * Paths into a configuration: segments joined by dots, as in `db.pool.size` and `servers.0`. A segment that holds a dot or a bracket,
 * or is empty, stands in brackets and quotes: `hosts["db.example.com"]`. Formatting and parsing are each other's inverse.
 */

/** The parts of a path. */
export type Segments = readonly string[]

/** The text of a path. The path of the whole is empty. */
export function formatPath(segments: Segments): string {
  return segments.reduce((text, segment) => {
    if (segment === '' || /[.[\]"]/.test(segment)) return `${text}[${JSON.stringify(segment)}]`
    return text === '' ? segment : `${text}.${segment}`
  }, '')
}

const SEGMENT = /(?:^|(?<=[^])\.)([^.[\]"]+)|\[("(?:[^"\\]|\\.)*")\]/gy

/** The segments of a path; undefined when the text is none. */
export function parsePath(path: string): Segments | undefined {
  const segments: string[] = []
  let end = 0
  for (const match of path.matchAll(SEGMENT)) {
    const [text, bare, quoted] = match
    const segment = bare ?? unquote(quoted)
    if (segment === undefined) return undefined
    segments.push(segment)
    end += text.length
  }
  return end === path.length ? segments : undefined
}

function unquote(quoted: string | undefined): string | undefined {
  try {
    const text: unknown = JSON.parse(quoted ?? '')
    return typeof text === 'string' ? text : undefined
  } catch {
    return undefined
  }
}

/**
 * Whether a pattern names the path or something above it. A `*` stands for any one segment: `tokens.*` names `tokens.github` and
 * `tokens.github.value`.
 */
export function matchesAbove(pattern: Segments, segments: Segments): boolean {
  return pattern.length <= segments.length && pattern.every((part, index) => part === '*' || part === segments[index])
}
