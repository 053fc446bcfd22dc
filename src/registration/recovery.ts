/** What a recovery does and whom it tells. */
export interface RecoveryParts {
  /** Whether the service is lost and wanted still. */
  isDue(): boolean
  /** Tries once, at a bounded pace. */
  attempt(): Promise<void>
  onFailure(error: unknown): void
}

/** Brings a lost service back: attempts follow each other, one at a time, for as long as it is lost. */
export class Recovery {
  readonly #parts: RecoveryParts
  #isUnderWay = false

  constructor(parts: RecoveryParts) {
    this.#parts = parts
  }

  /** Begins, unless it is under way: then a loss that has come since is seen to as well. */
  begin(): void {
    if (this.#isUnderWay) return
    this.#isUnderWay = true
    void this.#run()
  }

  async #run(): Promise<void> {
    while (this.#parts.isDue()) {
      try {
        await this.#parts.attempt()
      } catch (error) {
        this.#parts.onFailure(error)
      }
    }
    // Nothing may come between the last question and this: a loss in between would find a recovery that has ended.
    this.#isUnderWay = false
  }
}
