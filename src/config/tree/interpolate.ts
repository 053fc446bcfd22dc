import { formatPath, parsePath, type Segments } from './path.js'
import { isTreeObject, partAt, TreeProblem, type Tree, type TreeObject } from './tree.js'

/**
 * Replaces `${path}` and `${path:-fallback}` in texts by what the same configuration holds at that path. A text that is one reference
 * and nothing else takes over the type as well. A fallback may hold references. `$${` stands for a plain `${`. There is no way to
 * name anything outside of the configuration.
 */

/** A tree without references. */
export interface Interpolated {
  readonly tree: TreeObject
  /** Paths of texts into which another path went: from, to. */
  readonly flows: readonly { readonly from: Segments; readonly to: Segments }[]
}

/** Resolves every reference. @throws TreeProblem for a cycle, a path that is missing, and what cannot be put into a text. */
export function interpolate(tree: TreeObject): Interpolated {
  const resolver = new Resolver(tree)
  const resolved = resolver.object(tree, [])
  if (sizeOf(resolved) > MAX_STEPS + 2 * sizeOf(tree)) throw tooMany([])
  return { tree: resolved, flows: resolver.flows }
}

/** References can multiply: these bound what a few short texts can grow to. */
const MAX_STEPS = 200_000
const MAX_TEXT_LENGTH = 512 * 1024

/** Part of a text: plain, or a reference. */
type Piece = string | { readonly path: string; readonly fallback: string | undefined }

class Resolver {
  readonly flows: { from: Segments; to: Segments }[] = []
  readonly #root: TreeObject
  readonly #maxSteps: number
  readonly #done = new Map<string, Tree>()
  readonly #open: string[] = []
  #steps = 0

  constructor(root: TreeObject) {
    this.#root = root
    this.#maxSteps = MAX_STEPS + 2 * sizeOf(root)
  }

  object(tree: TreeObject, segments: Segments): TreeObject {
    return Object.fromEntries(Object.entries(tree).map(([name, part]) => [name, this.part(part, [...segments, name])]))
  }

  part(tree: Tree, segments: Segments): Tree {
    this.#steps += 1
    if (this.#steps > this.#maxSteps) throw tooMany(segments)
    if (typeof tree === 'string') return tree.includes('${') ? this.#text(tree, segments) : tree
    if (isTreeObject(tree)) return this.object(tree, segments)
    if (Array.isArray(tree)) return tree.map((item: Tree, index) => this.part(item, [...segments, String(index)]))
    return tree
  }

  #text(text: string, segments: Segments): Tree {
    const name = formatPath(segments)
    const done = this.#done.get(name)
    if (done !== undefined) return done
    if (this.#open.includes(name)) {
      const cycle = [...this.#open.slice(this.#open.indexOf(name)), name].join(' -> ')
      throw new TreeProblem(`refers to itself: ${cycle}`, segments)
    }
    this.#open.push(name)
    const value = this.#joined(text, segments)
    this.#open.pop()
    this.#done.set(name, value)
    return value
  }

  #joined(template: string, segments: Segments): Tree {
    const pieces = piecesOf(template, segments)
    const [only] = pieces
    if (pieces.length === 1 && only !== undefined) return this.#piece(only, segments)
    const text = pieces.map((piece) => this.#inText(this.#piece(piece, segments), piece, segments)).join('')
    if (text.length > MAX_TEXT_LENGTH) throw new TreeProblem(`grows beyond ${MAX_TEXT_LENGTH} characters`, segments)
    return text
  }

  #piece(piece: Piece, segments: Segments): Tree {
    if (typeof piece === 'string') return piece
    const from = parsePath(piece.path)
    const found = from === undefined ? undefined : partAt(this.#root, from)
    if (from === undefined || !isTree(found)) {
      if (piece.fallback !== undefined) return this.#joined(piece.fallback, segments)
      throw new TreeProblem(`refers to ${piece.path}, which does not exist`, segments)
    }
    this.flows.push({ from, to: segments })
    // An object that holds this text holds a reference to itself.
    if (from.length < segments.length && from.every((segment, index) => segment === segments[index])) {
      throw new TreeProblem(`refers to ${piece.path}, which it is a part of`, segments)
    }
    return this.part(found, from)
  }

  #inText(value: Tree, piece: Piece, segments: Segments): string {
    if (typeof value !== 'object') return String(value)
    const path = typeof piece === 'string' ? '' : piece.path
    throw new TreeProblem(`refers to ${path} inside a text, where only text, numbers and booleans can stand`, segments)
  }
}

/** What a path of the root leads to is a part of it, so it is a tree. */
function isTree(part: unknown): part is Tree {
  return part !== undefined
}

function tooMany(segments: Segments): TreeProblem {
  return new TreeProblem('multiplies its references beyond measure', segments)
}

/** How many values a tree has, those that it shares counted each time. */
function sizeOf(tree: Tree, known = new Map<object, number>()): number {
  if (typeof tree !== 'object' || tree === null) return 1
  const size = known.get(tree) ?? Object.values(tree).reduce<number>((sum, part: Tree) => sum + sizeOf(part, known), 1)
  known.set(tree, size)
  return size
}

function piecesOf(text: string, segments: Segments): readonly Piece[] {
  const pieces: Piece[] = []
  let plain = ''
  let at = 0
  while (at < text.length) {
    if (text.startsWith('$${', at)) {
      plain += '${'
      at += 3
    } else if (text.startsWith('${', at)) {
      const end = closingBrace(text, at + 2)
      if (end === undefined) throw new TreeProblem('has a "${" without its "}"', segments)
      if (plain !== '') pieces.push(plain)
      plain = ''
      pieces.push(reference(text.slice(at + 2, end)))
      at = end + 1
    } else {
      plain += text.charAt(at)
      at += 1
    }
  }
  return plain === '' && pieces.length > 0 ? pieces : [...pieces, plain]
}

/** The brace that closes the one before `from`, past those of references in a fallback. */
function closingBrace(text: string, from: number): number | undefined {
  let depth = 1
  for (let at = from; at < text.length; at += 1) {
    if (text.startsWith('${', at)) depth += 1
    else if (text.charAt(at) === '}') depth -= 1
    if (depth === 0) return at
  }
  return undefined
}

function reference(text: string): Piece {
  const split = text.indexOf(':-')
  if (split < 0) return { path: text.trim(), fallback: undefined }
  return { path: text.slice(0, split).trim(), fallback: text.slice(split + 2) }
}
