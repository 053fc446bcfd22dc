/** How a call ended. */
export interface Outcome {
  /** Whether the instance did what it should. Default: true, unless there is an `error`. */
  readonly ok?: boolean | undefined
  /** What it failed with. One that says that there was no connection lets the list of instances be read anew soon. */
  readonly error?: unknown
  /** The caller gave the call up, which says nothing of the instance. */
  readonly cancelled?: boolean | undefined
  /** How long the answer took in milliseconds, where that is not the time until now: to its first byte, say. */
  readonly latencyMs?: number | undefined
}
