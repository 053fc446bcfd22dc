/** What an endpoint answers, before it becomes bytes. */
export interface Reply {
  readonly status: number
  readonly headers: Readonly<Record<string, string>>
  /** A value to be sent as JSON, or bytes or text to be sent as they are. */
  readonly body: { readonly json: unknown } | { readonly bytes: Buffer } | { readonly text: string } | undefined
}

/** 200 with a JSON body. */
export function json(value: unknown, headers: Readonly<Record<string, string>> = {}, status = 200): Reply {
  return { status, headers, body: { json: value } }
}

/** 200 without a body, as most of the agent's own writes answer. */
export const EMPTY: Reply = Object.freeze({ status: 200, headers: {}, body: undefined })

/** A status with a plain text, as every refusal is. */
export function plain(status: number, text: string, headers: Readonly<Record<string, string>> = {}): Reply {
  return { status, headers: { 'Content-Type': 'text/plain; charset=utf-8', ...headers }, body: { text } }
}

/** A refusal that an endpoint throws. */
export class Refusal extends Error {
  override readonly name = 'Refusal'
  readonly status: number
  readonly headers: Readonly<Record<string, string>>

  constructor(status: number, message: string, headers: Readonly<Record<string, string>> = {}) {
    super(message)
    this.status = status
    this.headers = headers
  }
}

/** An endpoint throws this where the real agent's handler panics: the connection is closed without an answer. */
export class ConnectionDropped extends Error {
  override readonly name = 'ConnectionDropped'
}
