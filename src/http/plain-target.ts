/** What a thread of its own needs to send requests to the agent. It can be copied to a thread; it holds secrets and is never printed. */
export interface PlainTarget {
  /** `http://host:port/prefix`. */
  readonly baseUrl: string
  readonly socketPath: string | undefined
  /** Options of `node:https`. */
  readonly tls: object
  readonly headers: Readonly<Record<string, string>>
  /** Tenancy, as it follows a path; empty or beginning with `?`. */
  readonly query: string
}
