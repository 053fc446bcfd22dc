/** Policies and tokens of one datacenter. See https://developer.hashicorp.com/consul/docs/security/acl. */
import { randomUUID } from 'node:crypto'
import { Refusal } from '../wire/reply.js'
import { allowAll, RuleAuthorizer, type Authorizer } from './authorizer.js'
import { parseRules, type AclRule } from './rules.js'

/** A policy. */
export interface AclPolicy {
  readonly id: string
  readonly name: string
  readonly description: string
  readonly rules: string
}

/** A token. */
export interface AclToken {
  readonly accessorId: string
  readonly secretId: string
  readonly description: string
  readonly policyIds: readonly string[]
  /** Services that the token may register and look up the peers of. */
  readonly serviceIdentities: readonly string[]
  readonly createdAtMs: number
}

/** How ACLs are set up. */
export interface AclOptions {
  /** Whether there are ACLs at all. Default true when the option is given. */
  readonly enabled?: boolean
  /** What is allowed when no rule speaks of it. Default `deny`. */
  readonly defaultPolicy?: 'allow' | 'deny'
  /** The secret of a token that may do everything. Default: a random one, see `agent.acl.managementToken`. */
  readonly managementToken?: string
}

/** The policy that allows everything. */
export const MANAGEMENT_POLICY_ID = '00000000-0000-0000-0000-000000000001'
/** The accessor of the token that stands for requests without one. */
export const ANONYMOUS_ACCESSOR_ID = '00000000-0000-0000-0000-000000000002'

/** Policies and tokens, and what they allow. */
export class AclSystem {
  readonly isEnabled: boolean
  readonly defaultPolicy: 'allow' | 'deny'
  readonly managementToken: string
  readonly #policies = new Map<string, AclPolicy>()
  readonly #tokens = new Map<string, AclToken>()
  readonly #rulesOf = new Map<string, readonly AclRule[]>()
  readonly #nowMs: () => number
  #isBootstrapped = false

  constructor(options: AclOptions | undefined, nowMs: () => number) {
    this.isEnabled = options !== undefined && options.enabled !== false
    this.defaultPolicy = this.isEnabled ? (options?.defaultPolicy ?? 'deny') : 'allow'
    this.managementToken = options?.managementToken ?? randomUUID()
    this.#nowMs = nowMs
    this.reset()
  }

  /** Back to the management and the anonymous token. */
  reset(): void {
    this.#policies.clear()
    this.#tokens.clear()
    this.#rulesOf.clear()
    this.#isBootstrapped = false
    this.#policies.set(MANAGEMENT_POLICY_ID, {
      id: MANAGEMENT_POLICY_ID,
      name: 'global-management',
      description: 'Builtin Policy that grants unlimited access',
      rules: '',
    })
    this.putToken({
      secretId: this.managementToken,
      description: 'Initial Management Token',
      policyIds: [MANAGEMENT_POLICY_ID],
    })
    this.putToken({ accessorId: ANONYMOUS_ACCESSOR_ID, secretId: 'anonymous', description: 'Anonymous Token' })
  }

  /**
   * What a secret allows; the empty one stands for the anonymous token.
   * @throws Refusal 403 `ACL not found` for an unknown secret.
   */
  resolve(secretId: string): Authorizer {
    if (!this.isEnabled) return allowAll('', secretId === '')
    const isAnonymous = secretId === ''
    const token = this.findSecret(isAnonymous ? 'anonymous' : secretId)
    if (token === undefined) throw new Refusal(403, 'ACL not found')
    if (token.policyIds.includes(MANAGEMENT_POLICY_ID)) return allowAll(token.accessorId, isAnonymous)
    return new RuleAuthorizer(this.#rulesFor(token), { accessorId: token.accessorId, isAnonymous }, this.defaultPolicy)
  }

  /** The first token that allows everything, once. */
  bootstrap(): AclToken | undefined {
    if (this.#isBootstrapped) return undefined
    this.#isBootstrapped = true
    return this.putToken({ description: 'Bootstrap Token (Global Management)', policyIds: [MANAGEMENT_POLICY_ID] })
  }

  policies(): readonly AclPolicy[] {
    return [...this.#policies.values()]
  }

  policy(idOrName: string): AclPolicy | undefined {
    return this.#policies.get(idOrName) ?? this.policies().find(({ name }) => name === idOrName)
  }

  /** Adds or replaces a policy; its rules must be readable. */
  putPolicy(policy: Partial<AclPolicy> & { readonly name: string }): AclPolicy {
    const stored = {
      id: policy.id ?? randomUUID(),
      name: policy.name,
      description: policy.description ?? '',
      rules: policy.rules ?? '',
    }
    const rules = parseRules(stored.rules)
    this.#policies.set(stored.id, stored)
    this.#rulesOf.set(stored.id, rules)
    return stored
  }

  deletePolicy(id: string): boolean {
    this.#rulesOf.delete(id)
    return this.#policies.delete(id)
  }

  tokens(): readonly AclToken[] {
    return [...this.#tokens.values()]
  }

  token(accessorId: string): AclToken | undefined {
    return this.#tokens.get(accessorId)
  }

  findSecret(secretId: string): AclToken | undefined {
    return this.tokens().find((token) => token.secretId === secretId)
  }

  /** Adds or replaces a token. */
  putToken(token: Partial<AclToken>): AclToken {
    const accessorId = token.accessorId ?? randomUUID()
    const stored: AclToken = {
      accessorId,
      secretId: token.secretId ?? randomUUID(),
      description: token.description ?? '',
      policyIds: token.policyIds ?? [],
      serviceIdentities: token.serviceIdentities ?? [],
      createdAtMs: this.#tokens.get(accessorId)?.createdAtMs ?? this.#nowMs(),
    }
    this.#tokens.set(accessorId, stored)
    return stored
  }

  deleteToken(accessorId: string): boolean {
    return this.#tokens.delete(accessorId)
  }

  #rulesFor(token: AclToken): readonly AclRule[] {
    const ofPolicies = token.policyIds.flatMap((id) => this.#rulesOf.get(id) ?? [])
    return [...ofPolicies, ...token.serviceIdentities.flatMap(identityRules)]
  }
}

/** What a service identity stands for. */
function identityRules(service: string): readonly AclRule[] {
  return [
    { resource: 'service', match: 'exact', segment: service, access: 'write' },
    { resource: 'service', match: 'exact', segment: `${service}-sidecar-proxy`, access: 'write' },
    { resource: 'service', match: 'prefix', segment: '', access: 'read' },
    { resource: 'node', match: 'prefix', segment: '', access: 'read' },
  ]
}
