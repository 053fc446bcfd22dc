/** The gRPC health protocol, as far as a check needs it: one unary call whose answer holds one number. */
import type { IncomingHttpHeaders } from 'node:http'
import { connect, constants, type ClientHttp2Session } from 'node:http2'
import type { Probe, ProbeResult } from './periodic-check.js'

const SERVING = 1
const FRAME_HEADER_BYTES = 5

/** Asks `host:port[/service]` for its health: SERVING passes, anything else is critical. */
export function grpcProbe(target: string, { useTls, skipVerify }: { useTls: boolean; skipVerify: boolean }): Probe {
  const [authority = '', service = ''] = target.split(/\/(.*)/s)
  return (signal) =>
    new Promise<ProbeResult>((resolve) => {
      const session = connect(`${useTls ? 'https' : 'http'}://${authority}`, { rejectUnauthorized: !skipVerify })
      const settle = (result: ProbeResult): void => {
        signal.removeEventListener('abort', giveUp)
        session.destroy()
        resolve(result)
      }
      const fail = (reason: string): void => settle({ status: 'critical', output: `gRPC check ${target}: ${reason}` })
      const giveUp = (): void => fail('context deadline exceeded')
      signal.addEventListener('abort', giveUp, { once: true })
      session.on('error', (error: Error) => fail(error.message))
      askHealth(session, service, (status, grpcStatus) => {
        if (status === SERVING) settle({ status: 'passing', output: `gRPC check ${target}: success` })
        else fail(grpcStatus === '0' ? `gRPC ${target} serving status: ${status}` : `rpc error: code = ${grpcStatus}`)
      })
    })
}

function askHealth(
  session: ClientHttp2Session,
  service: string,
  done: (status: number, grpcStatus: string) => void,
): void {
  const stream = session.request({
    [constants.HTTP2_HEADER_METHOD]: 'POST',
    [constants.HTTP2_HEADER_PATH]: '/grpc.health.v1.Health/Check',
    'content-type': 'application/grpc',
    te: 'trailers',
  })
  const chunks: Buffer[] = []
  let grpcStatus = '0'
  stream.on('data', (chunk: Buffer) => chunks.push(chunk))
  const readStatus = (headers: IncomingHttpHeaders): void => {
    grpcStatus = text(headers['grpc-status']) ?? grpcStatus
  }
  stream.on('response', readStatus)
  stream.on('trailers', readStatus)
  stream.on('error', () => undefined)
  stream.on('end', () => {
    const message = Buffer.concat(chunks).subarray(FRAME_HEADER_BYTES)
    // Field 1, a varint: the serving status. An absent field is 0, UNKNOWN.
    done(message[0] === 0x08 ? (message[1] ?? 0) : 0, grpcStatus)
  })
  stream.end(frame(service))
}

/** A gRPC frame with the request message: field 1, the service name. */
function frame(service: string): Buffer {
  const name = Buffer.from(service, 'utf8')
  const message = name.length === 0 ? name : Buffer.concat([Buffer.from([0x0a, name.length]), name])
  const header = Buffer.alloc(FRAME_HEADER_BYTES)
  header.writeUInt32BE(message.length, 1)
  return Buffer.concat([header, message])
}

function text(value: string | readonly string[] | undefined): string | undefined {
  return typeof value === 'string' ? value : undefined
}
