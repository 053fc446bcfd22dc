/** A request that an agent has dealt with. */
export interface ServedRequest {
  readonly method: string
  /** Without the query, which may hold a token. */
  readonly path: string
  /** Undefined when the connection ended without an answer. */
  readonly status: number | undefined
  readonly durationMs: number
}
