import { createSocket } from 'node:dgram'
import { closeSync, openSync, readFileSync, rmSync, writeFileSync, mkdirSync } from 'node:fs'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { isRunning } from '../provision/file-lock.js'

/** The ports of one agent, the same on every loopback address. Ours until {@link PortBlock.release}. */
export interface PortBlock {
  readonly http: number
  readonly serfLan: number
  readonly serfWan: number
  readonly server: number
  release(): void
}

/**
 * Below the range from which systems take the local ports of outgoing connections: else one of these could be sitting on an agent's
 * port in the moment between its death and its restart.
 */
const LOWEST = 10_240
const HIGHEST = 32_000
const BLOCK = 4
const CLAIMS = join(tmpdir(), 'proconsul-ports')

/** Finds free ports and keeps other test processes off them, also while the agent is down. */
export async function claimPorts(): Promise<PortBlock> {
  mkdirSync(CLAIMS, { recursive: true })
  for (let tries = 0; tries < 200; tries++) {
    const first = LOWEST + BLOCK * Math.floor((Math.random() * (HIGHEST - LOWEST)) / BLOCK)
    const claim = join(CLAIMS, String(first))
    if (!takeClaim(claim)) continue
    const [http, serfLan, serfWan, server] = [first, first + 1, first + 2, first + 3]
    const free = await Promise.all([
      ...[http, serfLan, serfWan, server].map(isTcpFree),
      ...[serfLan, serfWan].map(isUdpFree),
    ])
    if (free.every(Boolean)) {
      const forget = (): void => rmSync(claim, { force: true })
      process.once('exit', forget)
      const release = (): void => {
        process.off('exit', forget)
        forget()
      }
      return { http, serfLan, serfWan, server, release }
    }
    rmSync(claim, { force: true })
  }
  throw new Error(`no four free ports in a row between ${LOWEST} and ${HIGHEST}`)
}

/** A claim left by a process that was killed counts as free. */
function takeClaim(path: string): boolean {
  for (let tries = 0; tries < 2; tries++) {
    try {
      const file = openSync(path, 'wx')
      writeFileSync(file, String(process.pid))
      closeSync(file)
      return true
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error
    }
    if (isRunning(ownerOf(path))) return false
    rmSync(path, { force: true })
  }
  return false
}

function ownerOf(path: string): number {
  try {
    return Number(readFileSync(path, 'utf8')) || process.pid
  } catch {
    return process.pid
  }
}

function isTcpFree(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const server = createServer()
    server.once('error', () => resolve(false))
    // On all addresses: that fails if any one of them is taken.
    server.listen(port, '0.0.0.0', () => server.close(() => resolve(true)))
  })
}

function isUdpFree(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = createSocket('udp4')
    socket.once('error', () => resolve(false))
    socket.bind(port, '0.0.0.0', () => socket.close(() => resolve(true)))
  })
}
