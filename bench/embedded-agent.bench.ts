import { Agent, request } from 'node:http'
import { startEmbeddedConsul } from '../src/testing/index.js'
import { startConsul } from '../test/support/consul-agent.js'

/**
 * The embedded agent beside a real development agent: how long it takes to start, how many short reads a second it answers, and how long
 * it takes to wake 1,000 blocked queries. The embedded one shares its process with the load, as it does in the tests of its users; the
 * real one has a process of its own.
 */

const STARTS = 5
const CONNECTIONS = 32
const READ_MS = 3_000
const BLOCKED = 1_000
/** Below the 200 connections that an agent allows each client address. All of 127.0.0.0/8 is loopback. */
const BLOCKED_PER_ADDRESS = 150

interface Target {
  readonly url: string
}

interface Figures {
  readonly startMs: number
  readonly readsPerSecond: number
  readonly wakeAllMs: number
}

export default async function embeddedAgent({ consul }: { readonly consul: Target }): Promise<void> {
  const embedded = await startEmbeddedConsul({ version: '1.8' })
  try {
    const real = await measure(consul, await startTime(startConsul))
    const ours = await measure(embedded, await startTime(() => startEmbeddedConsul()))
    print('start', real.startMs, ours.startMs, 'ms', 'lower')
    print('short reads', real.readsPerSecond, ours.readsPerSecond, 'a second', 'higher')
    print(`wake ${BLOCKED} blocked queries`, real.wakeAllMs, ours.wakeAllMs, 'ms', 'lower')
  } finally {
    await embedded.close()
  }
}

function print(what: string, real: number, ours: number, unit: string, better: 'lower' | 'higher'): void {
  const ratio = `${(ours / real).toFixed(2)} times the real one (${better} is better)`
  console.log(`${what.padEnd(26)} real ${real.toFixed(1)} ${unit}, embedded ${ours.toFixed(1)} ${unit}: ${ratio}`)
}

async function measure(target: Target, startMs: number): Promise<Figures> {
  await put(target, '/v1/agent/service/register', { Name: 'bench', Check: { TTL: '1h', Status: 'passing' } })
  return { startMs, readsPerSecond: await readsPerSecond(target), wakeAllMs: await wakeAll(target) }
}

/** The median of several starts. */
async function startTime(start: () => Promise<{ close(): Promise<void> }>): Promise<number> {
  const times: number[] = []
  for (let i = 0; i < STARTS; i++) {
    const began = performance.now()
    const agent = await start()
    times.push(performance.now() - began)
    await agent.close()
  }
  return times.sort((a, b) => a - b)[Math.floor(STARTS / 2)] ?? 0
}

async function readsPerSecond(target: Target): Promise<number> {
  const agent = new Agent({ keepAlive: true, maxSockets: CONNECTIONS })
  const began = performance.now()
  let count = 0
  const loop = async (): Promise<void> => {
    while (performance.now() - began < READ_MS) {
      await send(target, 'GET', '/v1/health/service/bench', { agent })
      count += 1
    }
  }
  await Promise.all(Array.from({ length: CONNECTIONS }, loop))
  agent.destroy()
  return (count / (performance.now() - began)) * 1000
}

async function wakeAll(target: Target): Promise<number> {
  const agents = Array.from({ length: Math.ceil(BLOCKED / BLOCKED_PER_ADDRESS) }, () => new Agent({ keepAlive: true }))
  const { index } = await send(target, 'GET', '/v1/health/service/bench')
  const path = `/v1/health/service/bench?index=${index}&wait=60s`
  const blocked = Array.from({ length: BLOCKED }, (_, i) => {
    const at = Math.floor(i / BLOCKED_PER_ADDRESS)
    return send(target, 'GET', path, { agent: agents[at], localAddress: `127.0.0.${at + 2}` })
  })
  // The agent takes connections in turn: when these reads are answered, the ones before them have been taken.
  for (const [at, agent] of agents.entries()) {
    await send(target, 'GET', '/v1/status/leader', { agent, localAddress: `127.0.0.${at + 2}` })
  }
  await new Promise((resolve) => setTimeout(resolve, 500))
  const began = performance.now()
  await put(target, '/v1/agent/check/warn/service:bench')
  await Promise.all(blocked)
  const took = performance.now() - began
  for (const agent of agents) agent.destroy()
  return took
}

function put(target: Target, path: string, body?: object): Promise<Answer> {
  return send(target, 'PUT', path, { body })
}

interface Answer {
  readonly index: number
}

interface SendOptions {
  readonly agent?: Agent | undefined
  readonly localAddress?: string
  readonly body?: object | undefined
}

function send({ url }: Target, method: string, path: string, { body, ...options }: SendOptions = {}): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const outgoing = request(url + path, { method, ...options }, (response) => {
      response.resume()
      response.on('error', reject)
      response.on('end', () => resolve({ index: Number(response.headers['x-consul-index'] ?? 0) }))
    })
    outgoing.on('error', reject)
    outgoing.end(body === undefined ? undefined : JSON.stringify(body))
  })
}
