import { once } from 'node:events'
import { createServer, request as requestTo, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { afterTest } from './opened.js'

/** What becomes of a request: it is passed on to an agent of this address, or answered so. */
export type Passage =
  string | { readonly status: number; readonly body?: string; readonly headers?: Readonly<Record<string, string>> }

/** An HTTP server that passes each request on or answers it, as the test says, until the test is over. */
export async function relay(passage: (request: IncomingMessage) => Passage): Promise<string> {
  const server = createServer((request, response) => {
    const where = passage(request)
    if (typeof where === 'string') passOn(where, request, response)
    else request.resume().on('end', () => response.writeHead(where.status, where.headers).end(where.body ?? ''))
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  afterTest(() => server.close().closeAllConnections())
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`
}

function passOn(base: string, request: IncomingMessage, response: ServerResponse): void {
  const { method, headers } = request
  const onward = requestTo(new URL(request.url ?? '/', base), { method, headers }, (answer) => {
    response.writeHead(answer.statusCode ?? 500, answer.headers)
    answer.pipe(response)
  })
  onward.on('error', () => response.destroy())
  response.on('close', () => onward.destroy())
  request.pipe(onward)
}
