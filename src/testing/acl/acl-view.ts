import { Refusal } from '../wire/reply.js'
import type { VersionProfile } from '../versions.js'
import type { Authorizer } from './authorizer.js'
import type { AclResource } from './rules.js'

/** What one request may see and do. It remembers whether it hid something. */
export class AclView {
  readonly authorizer: Authorizer
  readonly #profile: VersionProfile
  #hasHidden = false

  constructor(authorizer: Authorizer, profile: VersionProfile) {
    this.authorizer = authorizer
    this.#profile = profile
  }

  /** Whether a list was shortened for this request. */
  get hasHidden(): boolean {
    return this.#hasHidden
  }

  readsService(name: string): boolean {
    return this.authorizer.allows('service', name, 'read')
  }

  readsNode(name: string): boolean {
    return this.authorizer.allows('node', name, 'read')
  }

  /** A check can be read by whoever may read its node and its service. */
  readsCheck({ node, serviceName }: { readonly node: string; readonly serviceName: string }): boolean {
    return this.readsNode(node) && (serviceName === '' || this.readsService(serviceName))
  }

  /** The rows that may be seen. */
  visible<Row>(rows: readonly Row[], isVisible: (row: Row) => boolean): readonly Row[] {
    const kept = rows.filter(isVisible)
    if (kept.length < rows.length) this.#hasHidden = true
    return kept
  }

  /**
   * Refuses unless a thing may be read or written.
   * @throws Refusal 403
   */
  require(resource: AclResource, segment: string, access: 'read' | 'list' | 'write'): void {
    if (!this.authorizer.allows(resource, segment, access)) throw this.#denied(resource, segment, access, '')
  }

  /** The same for the agent's own calls, whose refusals say what was missing even in old versions. */
  requireExplained(resource: AclResource, segment: string, access: 'read' | 'write'): void {
    if (!this.authorizer.allows(resource, segment, access)) {
      throw this.#denied(resource, segment, access, `: Missing ${resource}:${access} on ${segment}`)
    }
  }

  /** Refuses unless everything below a prefix may be written. */
  requireTree(prefix: string): void {
    if (!this.authorizer.allowsTree(prefix)) throw this.#denied('key', prefix, 'write', '')
  }

  #denied(resource: AclResource, segment: string, access: string, legacyDetail: string): Refusal {
    if (!this.#profile.explainsDenials) return new Refusal(403, `Permission denied${legacyDetail}`)
    const who = this.authorizer.isAnonymous
      ? 'anonymous token'
      : `token with AccessorID '${this.authorizer.accessorId}'`
    return new Refusal(403, `Permission denied: ${who} lacks permission '${resource}:${access}' on "${segment}"`)
  }
}
