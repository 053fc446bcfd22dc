import { connect } from 'node:net'
import { dialError } from './dial-error.js'
import type { Probe, ProbeResult } from './periodic-check.js'

/** Connects to `host:port`: a connection passes, anything else is critical. */
export function tcpProbe(target: string): Probe {
  return (signal) =>
    new Promise<ProbeResult>((resolve) => {
      const separator = target.lastIndexOf(':')
      const host = target.slice(0, separator).replace(/^\[|\]$/g, '')
      const port = Number(target.slice(separator + 1))
      if (separator < 0 || !Number.isInteger(port) || port < 0 || port > 65_535) {
        resolve({ status: 'critical', output: `dial tcp: address ${target}: missing port in address` })
        return
      }
      const socket = connect({ host, port })
      const settle = (result: ProbeResult): void => {
        signal.removeEventListener('abort', giveUp)
        socket.destroy()
        resolve(result)
      }
      const giveUp = (): void => settle({ status: 'critical', output: `dial tcp ${target}: i/o timeout` })
      signal.addEventListener('abort', giveUp, { once: true })
      socket.on('connect', () => settle({ status: 'passing', output: `TCP connect ${target}: Success` }))
      socket.on('error', (error) => settle({ status: 'critical', output: dialError(error, target) }))
    })
}
