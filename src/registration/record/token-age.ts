/**
 * Under which token a record was written: the agent goes on telling the servers of a service under that one
 * (https://github.com/hashicorp/consul/issues/3345), and once it is revoked they hear of nothing any more.
 */
export class TokenAge {
  readonly #changes: () => number
  /** How often the token had changed before the write that the agent is known to have taken last; before any is, that of the first. */
  #writtenUnder: number | undefined

  /** `changes` counts how often the token has changed. */
  constructor(changes: () => number) {
    this.#changes = changes
  }

  /** Whether the token has changed since the last write that the agent has taken. */
  get isOld(): boolean {
    return this.#writtenUnder !== undefined && this.#writtenUnder !== this.#changes()
  }

  /** Carries out a write. */
  async of(write: () => Promise<void>): Promise<void> {
    // The write is sent under the token of this moment or under a later one.
    const changes = this.#changes()
    this.#writtenUnder ??= changes
    await write()
    this.#writtenUnder = changes
  }
}
