import type { AclSystem } from './acl-system.js'

/** A token that a test made. */
export interface TestToken {
  /** Its public id. */
  readonly accessorId: string
  /** What a client sends. */
  readonly secretId: string
}

/** Tokens, for tests: made and revoked without a request. */
export class AclControl {
  readonly #system: () => AclSystem

  constructor(system: () => AclSystem) {
    this.#system = system
  }

  /** Whether the agent was started with ACLs. */
  get isEnabled(): boolean {
    return this.#system().isEnabled
  }

  /** The secret of a token that may do everything. */
  get managementToken(): string {
    return this.#system().managementToken
  }

  /**
   * Makes a token.
   * @param rules In Consul's notation, HCL or JSON: `service "web" { policy = "write" }`.
   * @throws AclRuleError when the rules cannot be read.
   */
  createToken(rules = ''): TestToken {
    const system = this.#system()
    const policyIds = rules === '' ? [] : [system.putPolicy({ name: `test-${system.policies().length}`, rules }).id]
    const { accessorId, secretId } = system.putToken({ description: 'made by a test', policyIds })
    return { accessorId, secretId }
  }

  /**
   * Revokes or expires a token, named by either of its ids: requests with it get 403 `ACL not found` from now on, and what was registered with
   * it no longer reaches the catalog. False when there is no such token.
   */
  revoke(id: string): boolean {
    const system = this.#system()
    return system.deleteToken(system.findSecret(id)?.accessorId ?? id)
  }
}
