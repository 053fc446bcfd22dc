/** The path of a request as Go's server treats it: decoded, checked, cleaned. */

/** What becomes of a path. */
export type ParsedPath =
  | { readonly type: 'ok'; readonly path: string }
  /** Not clean: the client is sent to the clean one. */
  | { readonly type: 'redirect'; readonly location: string }
  /** A bad escape. */
  | { readonly type: 'malformed' }
  /** A character that cannot be printed. */
  | { readonly type: 'unprintable' }

const UNPRINTABLE = /[^\p{L}\p{M}\p{N}\p{P}\p{S} ]/u

/** Decodes and checks the raw path of a request line. */
export function parsePath(raw: string): ParsedPath {
  if (/%(?![0-9a-fA-F]{2})/.test(raw)) return { type: 'malformed' }
  const path = raw.includes('%') ? decode(raw) : raw
  if (UNPRINTABLE.test(path)) return { type: 'unprintable' }
  const clean = cleanPath(path)
  if (clean !== path) return { type: 'redirect', location: encodePath(clean) }
  return { type: 'ok', path }
}

/** Bytes that are no UTF-8 become U+FFFD, as they do in the real agent's answers. */
function decode(raw: string): string {
  const bytes: Buffer[] = []
  for (const part of raw.split(/(%[0-9a-fA-F]{2})/)) {
    bytes.push(/^%[0-9a-fA-F]{2}$/.test(part) ? Buffer.from(part.slice(1), 'hex') : Buffer.from(part, 'latin1'))
  }
  return Buffer.concat(bytes).toString('utf8')
}

function cleanPath(path: string): string {
  if (!/\/\/|\/\.\.?(?:\/|$)/.test(path)) return path
  const kept: string[] = []
  for (const segment of path.split('/')) {
    if (segment === '..') kept.pop()
    else if (segment !== '' && segment !== '.') kept.push(segment)
  }
  return `/${kept.join('/')}${path.endsWith('/') && kept.length > 0 ? '/' : ''}`
}

function encodePath(path: string): string {
  return path.split('/').map(encodeURIComponent).join('/')
}
