import type { AclAccess, AclResource, AclRule } from './rules.js'

/** What a token may do. */
export interface Authorizer {
  /** The token's public id; empty for the anonymous token. */
  readonly accessorId: string
  /** Whether the request came with a token of its own. */
  readonly isAnonymous: boolean
  /** Whether a thing may be read, listed or written. */
  allows(resource: AclResource, segment: string, access: 'read' | 'list' | 'write'): boolean
  /** Whether everything below a prefix may be written. */
  allowsTree(prefix: string): boolean
}

/** Everything is allowed: ACLs are off, or the token is a management token. */
export function allowAll(accessorId = '', isAnonymous = true): Authorizer {
  return { accessorId, isAnonymous, allows: () => true, allowsTree: () => true }
}

const RANK: Readonly<Record<AclAccess, number>> = { read: 1, list: 2, write: 3, deny: 4 }

/** What the rules of a token's policies allow; what they do not speak of follows the default. */
export class RuleAuthorizer implements Authorizer {
  readonly accessorId: string
  readonly isAnonymous: boolean
  readonly #rules: readonly AclRule[]
  readonly #isAllowedByDefault: boolean

  constructor(
    rules: readonly AclRule[],
    token: { accessorId: string; isAnonymous: boolean },
    defaultPolicy: 'allow' | 'deny',
  ) {
    this.#rules = rules
    this.#isAllowedByDefault = defaultPolicy === 'allow'
    this.accessorId = token.accessorId
    this.isAnonymous = token.isAnonymous
  }

  allows(resource: AclResource, segment: string, access: 'read' | 'list' | 'write'): boolean {
    // Naming several policies, the strictest of equal rules wins only when it denies; else the most generous does.
    const granted = this.#accessTo(resource, segment)
    if (granted === undefined) return this.#isAllowedByDefault
    return granted !== 'deny' && RANK[granted] >= RANK[access]
  }

  allowsTree(prefix: string): boolean {
    if (!this.allows('key', prefix, 'write')) return false
    return this.#rules.every(
      ({ resource, segment, access }) => resource !== 'key' || !segment.startsWith(prefix) || access === 'write',
    )
  }

  #accessTo(resource: AclResource, segment: string): AclAccess | undefined {
    const matching = this.#rules.filter((rule) => rule.resource === resource)
    const exact = matching.filter((rule) => rule.match === 'exact' && rule.segment === segment)
    if (exact.length > 0) return strongest(exact)
    const prefixes = matching.filter((rule) => rule.match === 'prefix' && segment.startsWith(rule.segment))
    const longest = Math.max(0, ...prefixes.map((rule) => rule.segment.length))
    return strongest(prefixes.filter((rule) => rule.segment.length === longest))
  }
}

function strongest(rules: readonly AclRule[]): AclAccess | undefined {
  return rules.map(({ access }) => access).sort((left, right) => RANK[right] - RANK[left])[0]
}
