import { queryKey } from './query-key.js'

/**
 * Reads that fail together: they share one back-off. A read that needs no leader must not wait until there is one again, and a good
 * answer to it must not send those to the servers that do need one.
 */
export type ReadScope =
  /** The agent answers by itself, whatever its servers do. */
  | { readonly type: 'agent' }
  /** Servers answer, or the agent's cache of what they answered. */
  | {
      readonly type: 'datacenter'
      /** Undefined: the agent's own. */
      readonly name: string | undefined
      readonly answeredBy: 'leader' | 'any-server' | 'cache'
    }

/** The scope of reads that the agent answers by itself. */
export const AGENT_SCOPE: ReadScope = Object.freeze({ type: 'agent' })

/** What decides who answers a read of the catalog or of the KV store. */
export interface ScopedOptions {
  readonly datacenter?: string | undefined
  readonly stale?: boolean | undefined
  readonly cached?: boolean | undefined
}

/** The scope of reads that the servers of a datacenter answer. */
export function scopeOf({ datacenter, stale, cached }: ScopedOptions): ReadScope {
  const answeredBy = cached === true ? 'cache' : stale === true ? 'any-server' : 'leader'
  return { type: 'datacenter', name: datacenter, answeredBy }
}

/** A text that is the same for equal scopes only. */
export function scopeKey(scope: ReadScope): string {
  return scope.type === 'agent' ? queryKey('agent') : queryKey('datacenter', scope.name, scope.answeredBy)
}
