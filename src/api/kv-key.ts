import { invalidOption } from '../errors/invalid-option.js'

/**
 * Keys of the KV store. Agents differ in what they do with an odd key: some store it under another name (they redirect `a//b` to
 * `a/b`), some store it where no later read can reach it, some refuse it. A key that passes here means the same on all of them.
 * (https://developer.hashicorp.com/consul/docs/automate/kv, hashicorp/consul#3476, #15933, #22850)
 */

interface KeyRule {
  readonly broken: (key: string) => boolean
  readonly expected: string
}

const RULES: readonly KeyRule[] = [
  { broken: (key) => key.startsWith('/'), expected: 'a key without a leading "/"' },
  { broken: (key) => key.includes('//'), expected: 'a key without "//"' },
  {
    broken: (key) => key.split('/').some(isDots),
    expected: 'a key without "." or ".." as a part, also when percent-encoded',
  },
  { broken: (key) => key.trim() !== key, expected: 'a key without spaces at its ends' },
  // The agent answers 400, without a reason, to a character that Go does not take for printable: also to spaces but the plain one.
  {
    broken: (key) => /[^\p{L}\p{M}\p{N}\p{P}\p{S} ]/u.test(key),
    expected: 'a key of printable characters: letters, marks, numbers, punctuation, symbols and plain spaces',
  },
]

/** The key itself. Throws `PROCONSUL_INVALID_OPTION` when it is empty or not accepted by every version of Consul. */
export function checkKey(option: string, key: unknown): string {
  if (key === '') throw invalidOption(option, key, 'a non-empty key')
  return checkPrefix(option, key)
}

/** The prefix itself: as {@link checkKey}, but it may be empty. */
export function checkPrefix(option: string, prefix: unknown): string {
  if (typeof prefix !== 'string') throw invalidOption(option, prefix, 'a string')
  const rule = RULES.find(({ broken }) => broken(prefix))
  if (rule !== undefined) throw invalidOption(option, prefix, rule.expected)
  return prefix
}

/** The path of a key below `/v1`. Each part is encoded, the slashes between them are kept. */
export function keyPath(key: string): string {
  return `/kv/${key.split('/').map(encodeURIComponent).join('/')}`
}

/** Agents since 1.21.6 undo the percent-encoding of a key once more before they look for `..` in it. */
function isDots(part: string): boolean {
  const bare = part
    .replace(/%2e/gi, '.')
    .replace(/%(?:2f|5c)/gi, '/')
    .replaceAll('\\', '/')
  return bare.split('/').some((piece) => piece === '.' || piece === '..')
}
