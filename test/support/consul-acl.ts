import type { HttpAnswer } from './consul-http.js'
import type { ConsulAgent } from './consul-agent.js'

/** A token made for a test. */
export interface AclToken {
  readonly accessorId: string
  readonly secret: string
}

/** Makes and revokes tokens on an agent that was started with `acl: true`. */
export class ConsulAcl {
  /** May do everything. */
  readonly managementToken: string
  readonly #agent: ConsulAgent
  #created = 0

  constructor(agent: ConsulAgent, managementToken: string) {
    this.#agent = agent
    this.managementToken = managementToken
  }

  /** Makes a policy of these rules, such as `service "web" { policy = "write" }`, and a token that has it. */
  async createToken(rules: string): Promise<AclToken> {
    const name = `test-${process.pid}-${Date.now()}-${++this.#created}`
    await this.#put('/v1/acl/policy', { Name: name, Rules: rules })
    const answer = await this.#put('/v1/acl/token', { Policies: [{ Name: name }] })
    const token = answer.json() as { AccessorID: string; SecretID: string }
    return { accessorId: token.AccessorID, secret: token.SecretID }
  }

  /** Revokes the token. The agent may honour it for another second. */
  async deleteToken(token: AclToken): Promise<void> {
    this.#expectOk(await this.#agent.request('DELETE', `/v1/acl/token/${token.accessorId}`))
  }

  async #put(path: string, body: unknown): Promise<HttpAnswer> {
    return this.#expectOk(await this.#agent.request('PUT', path, { body }))
  }

  #expectOk(answer: HttpAnswer): HttpAnswer {
    if (answer.status !== 200) throw new Error(`the agent answered ${answer.status}: ${answer.text}`)
    return answer
  }
}
