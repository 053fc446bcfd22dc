import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import { once } from 'node:events'
import type { AddressInfo } from 'node:net'

/** How one request is answered. */
export type Answerer = (request: IncomingMessage, response: ServerResponse) => void

/** An HTTP server that answers as a test says: request by request from the script, and the last entry from then on. */
export interface ScriptedAgent extends AsyncDisposable {
  readonly url: string
  readonly requests: readonly IncomingMessage[]
  readonly server: Server
  close(): Promise<void>
}

export async function scriptedAgent(...script: readonly Answerer[]): Promise<ScriptedAgent> {
  const requests: IncomingMessage[] = []
  const server = createServer((request, response) => {
    const answer = script[Math.min(requests.length, script.length - 1)]
    requests.push(request)
    request.resume()
    answer?.(request, response)
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const close = async (): Promise<void> => {
    if (!server.listening) return
    server.close()
    server.closeAllConnections()
    await once(server, 'close')
  }
  const { port } = server.address() as AddressInfo
  return { url: `http://127.0.0.1:${port}`, requests, server, close, [Symbol.asyncDispose]: close }
}

/** Answers with a status, a body and headers. */
export function answers(status: number, body: string | Buffer = '', headers: Record<string, string> = {}): Answerer {
  return (_request, response) => response.writeHead(status, headers).end(body)
}
