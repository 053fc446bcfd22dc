import type { HttpAnswer, HttpClient, HttpRequest } from '../../../src/http/request.js'

/** An answer as a test writes it down. */
export interface ScriptedAnswer {
  readonly status?: number
  readonly body?: string
  readonly index?: number
}

/** An HTTP client that gives prepared answers, in order and then the last one again, and remembers what was asked. */
export class ScriptedHttp implements HttpClient {
  readonly requests: HttpRequest[] = []
  readonly #answers: ScriptedAnswer[]

  constructor(...answers: ScriptedAnswer[]) {
    this.#answers = answers
  }

  get last(): HttpRequest {
    const last = this.requests.at(-1)
    if (last === undefined) throw new Error('nothing was asked')
    return last
  }

  request(request: HttpRequest): Promise<HttpAnswer> {
    this.requests.push(request)
    const answer = (this.#answers.length > 1 ? this.#answers.shift() : this.#answers[0]) ?? {}
    const { status = 200, body = '', index } = answer
    return Promise.resolve({
      operation: request.operation,
      status,
      body: Buffer.from(body),
      meta: index === undefined ? {} : { index },
    })
  }
}
