import { leavesOf } from '../tree/diff.js'
import type { Interpolated } from '../tree/interpolate.js'
import { matchesAbove, parsePath, type Segments } from '../tree/path.js'
import type { Tree } from '../tree/tree.js'
import type { ConfigIssue } from './issue.js'

/** Stands for the value of a secret. */
export const REDACTED = '[secret]'

/** Knows which paths of one assembly are secret: those named so, and those into which a reference carries a secret. */
export class Redaction {
  readonly #patterns: Segments[]

  constructor(secrets: readonly Segments[], flows: Interpolated['flows'] = []) {
    this.#patterns = [...secrets]
    let before: number
    do {
      before = this.#patterns.length
      for (const { from, to } of flows) if (this.#touches(from) && !this.isSecret(to)) this.#patterns.push(to)
    } while (this.#patterns.length > before)
  }

  /** Whether the value at a path must not be shown. */
  isSecret(segments: Segments): boolean {
    return this.#patterns.some((pattern) => matchesAbove(pattern, segments))
  }

  /** The issues without the text of any secret of the tree. */
  issues(issues: readonly ConfigIssue[], tree: Tree | undefined): readonly ConfigIssue[] {
    const secrets = tree === undefined ? [] : this.#secretTexts(tree)
    if (secrets.length === 0) return issues
    return issues.map((issue) => ({
      ...issue,
      message: secrets.reduce((message, secret) => message.replaceAll(secret, REDACTED), issue.message),
    }))
  }

  /** The issues of what could not be put together. A message on a secret may quote a part of its text: it says only that. */
  unquoted(issues: readonly ConfigIssue[]): readonly ConfigIssue[] {
    return issues.map((issue) => {
      const segments = issue.path === undefined ? undefined : parsePath(issue.path)
      return segments !== undefined && this.isSecret(segments)
        ? { ...issue, message: 'holds a reference that cannot be resolved' }
        : issue
    })
  }

  /** Whether a path is secret or has something secret below it. */
  #touches(segments: Segments): boolean {
    return this.isSecret(segments) || this.#patterns.some((pattern) => isBelow(pattern, segments))
  }

  #secretTexts(tree: Tree): string[] {
    const texts = leavesOf(tree)
      .filter(({ segments }) => this.isSecret(segments))
      .flatMap(({ value }) => (typeof value === 'string' || typeof value === 'number' ? [String(value)] : []))
      .flatMap((text) => [text, JSON.stringify(text).slice(1, -1)])
      .filter((text) => text !== '')
    // The longest first, so that a secret that holds another goes as a whole.
    return [...new Set(texts)].sort((a, b) => b.length - a.length)
  }
}

/** The tree without what is secret. */
export function withoutSecrets(tree: Tree, redaction: Redaction, segments: Segments = []): Tree | undefined {
  if (redaction.isSecret(segments)) return undefined
  if (typeof tree !== 'object' || tree === null) return tree
  const kept = (part: Tree, name: string): Tree | undefined => withoutSecrets(part, redaction, [...segments, name])
  if (Array.isArray(tree)) return tree.map((item: Tree, index) => kept(item, String(index)) ?? null)
  return Object.fromEntries(
    Object.entries(tree).flatMap(([name, part]: [string, Tree]): [string, Tree][] => {
      const rest = kept(part, name)
      return rest === undefined ? [] : [[name, rest]]
    }),
  )
}

function isBelow(pattern: Segments, segments: Segments): boolean {
  return segments.every(
    (segment, index) => index >= pattern.length || pattern[index] === '*' || pattern[index] === segment,
  )
}
