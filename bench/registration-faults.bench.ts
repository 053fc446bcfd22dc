import { fork } from 'node:child_process'
import { once } from 'node:events'
import { createServer, request, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { setTimeout as pause } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { startConsul, type ConsulAgent } from '../test/support/consul-agent.js'
import { startConsulCluster } from '../test/support/consul-cluster.js'
import { eventually } from '../test/support/eventually.js'
import { FaultProxy } from '../test/support/fault-proxy.js'
import { npmClient, Observer, proconsul, type Contender, type Target } from './registration/contenders.js'

/**
 * The longest time without a passing instance in the catalog, fault by fault: a TTL service of 10 s kept by this package, beside one
 * kept by the npm `consul` client with `setInterval(pass)` every third of the TTL, on the same agent in the same run. Time in which the
 * agent does not answer at all is in nobody's power: a gap begins and ends with an answer. Takes about five minutes.
 */

interface Fault {
  readonly name: string
  run(contenders: readonly Contender[]): Promise<readonly string[]>
}

const MOST_AT_ONCE = 3
const RULES =
  'service_prefix "" { policy = "write" } node_prefix "" { policy = "read" } agent_prefix "" { policy = "read" }'

export default async function registrationFaults(): Promise<void> {
  const faults = allFaults()
  const rows = new Map<string, readonly string[]>()
  const queue = [...faults]
  const work = async (): Promise<void> => {
    for (let fault = queue.shift(); fault; fault = queue.shift()) {
      rows.set(fault.name, await fault.run([proconsul(), npmClient()]))
    }
  }
  await Promise.all(Array.from({ length: MOST_AT_ONCE }, work))
  console.log(['fault', 'proconsul', 'npm consul'].join(' | '))
  for (const { name } of faults) console.log([name, ...(rows.get(name) ?? [])].join(' | '))
}

function allFaults(): readonly Fault[] {
  return [
    onAgent('agent restarted, state lost', {}, (agent) => agent.restart(), 25_000),
    onAgent('agent restarted, state kept', { durable: true }, (agent) => agent.restart({ keepState: true }), 15_000),
    onAgent('agent down for 60 s, state kept', { durable: true }, downFor(60_000), 20_000),
    onAgent('agent paused for 20 s and resumed', {}, pausedFor(20_000), 20_000),
    onAgent('service deregistered by another', {}, removeAll('service/deregister/', ''), 25_000),
    onAgent('check deregistered by another', {}, removeAll('check/deregister/', 'service:'), 25_000),
    onAgent('clock of the process jumps by an hour', {}, jumpClock, 15_000),
    { name: 'leader lost, three servers', run: leaderLost },
    { name: 'token revoked and replaced', run: tokenReplaced },
    { name: '429 to every call for 20 s', run: (contenders) => storm(contenders, 429) },
    { name: '503 to every call for 20 s', run: (contenders) => storm(contenders, 503) },
    { name: 'connection cut during the registration', run: cutWhileRegistering },
    { name: 'process killed: critical after / removed after', run: killed },
  ]
}

function onAgent(
  name: string,
  options: { durable?: boolean },
  inject: (agent: ConsulAgent) => Promise<unknown>,
  observeMs: number,
): Fault {
  const run = async (contenders: readonly Contender[]): Promise<readonly string[]> => {
    await using agent = await startConsul(options)
    return await gaps(contenders, agent, agent, () => inject(agent), observeMs)
  }
  return { name, run }
}

async function gaps(
  contenders: readonly Contender[],
  target: Target,
  observed: ConsulAgent,
  inject: () => Promise<unknown>,
  observeMs: number,
): Promise<readonly string[]> {
  await Promise.all(contenders.map((contender) => contender.start(target)))
  await Promise.all(contenders.map(({ service }) => untilPassing(observed, service)))
  const observers = contenders.map(({ service }) => new Observer(observed, service))
  await pause(1_000)
  await inject()
  await pause(observeMs)
  const longest = await Promise.all(observers.map((observer) => observer.stop()))
  await Promise.all(contenders.map((contender) => contender.stop()))
  return longest.map((gapMs) => shown(gapMs, observeMs))
}

async function untilPassing(agent: ConsulAgent, service: string): Promise<void> {
  await eventually(async () => {
    const entries = await agent.read<unknown[]>(`/v1/health/service/${service}?passing`)
    if (entries.length === 0) throw new Error(`${service} is not passing`)
  })
}

function shown(gapMs: number, observeMs: number): string {
  if (gapMs === Infinity) return `not back within ${observeMs / 1_000} s`
  return gapMs === 0 ? 'none' : `${(gapMs / 1_000).toFixed(2)} s`
}

function downFor(downMs: number) {
  return async (agent: ConsulAgent): Promise<void> => {
    await agent.kill()
    await pause(downMs)
    await agent.start({ keepState: true })
  }
}

function pausedFor(pausedMs: number) {
  return async (agent: ConsulAgent): Promise<void> => {
    await agent.pause()
    await pause(pausedMs)
    await agent.resume()
  }
}

function removeAll(path: string, prefix: string) {
  return async (agent: ConsulAgent): Promise<void> => {
    for (const id of ['ours', 'theirs']) await agent.request('PUT', `/v1/agent/${path}${prefix}${id}`)
  }
}

async function jumpClock(): Promise<void> {
  const { now } = Date
  Date.now = () => now() + 3_600_000
  await pause(10_000)
  Date.now = now
}

async function leaderLost(contenders: readonly Contender[]): Promise<readonly string[]> {
  await using cluster = await startConsulCluster()
  return await gaps(contenders, cluster.client, cluster.client, () => cluster.killLeader(), 20_000)
}

async function tokenReplaced(contenders: readonly Contender[]): Promise<readonly string[]> {
  await using agent = await startConsul({ acl: true })
  const first = await agent.acl.createToken(RULES)
  const second = await agent.acl.createToken(RULES)
  let token = first.secret
  const replace = async (): Promise<void> => {
    token = second.secret
    await agent.acl.deleteToken(first)
  }
  const target = { host: agent.host, port: agent.port, token: () => token }
  return await gaps(contenders, target, agent, replace, 25_000)
}

/** Between both and the agent stands a gateway that refuses for a while. */
async function storm(contenders: readonly Contender[], status: number): Promise<readonly string[]> {
  await using agent = await startConsul()
  let isStormy = false
  const gateway = createServer((incoming, outgoing) => {
    if (isStormy) {
      incoming.resume()
      outgoing.writeHead(status, { 'retry-after': '1' }).end()
      return
    }
    const { method, url, headers } = incoming
    const forwarded = request({ host: agent.host, port: agent.port, method, path: url, headers }, (answer) => {
      outgoing.writeHead(answer.statusCode ?? 500, answer.headers)
      answer.pipe(outgoing)
    })
    forwarded.on('error', () => outgoing.destroy())
    incoming.pipe(forwarded)
  })
  const port = await listening(gateway)
  const inject = async (): Promise<void> => {
    isStormy = true
    await pause(20_000)
    isStormy = false
  }
  const result = await gaps(contenders, { host: '127.0.0.1', port }, agent, inject, 15_000)
  gateway.close()
  gateway.closeAllConnections()
  return result
}

async function listening(server: Server): Promise<number> {
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  return (server.address() as AddressInfo).port
}

/** The first answers are held back, then the connections are reset. */
async function cutWhileRegistering(contenders: readonly Contender[]): Promise<readonly string[]> {
  await using agent = await startConsul()
  return await Promise.all(
    contenders.map(async (contender) => {
      await using proxy = await FaultProxy.start(agent)
      proxy.pause('toClient')
      const startedAt = performance.now()
      const starting = contender.start({ host: '127.0.0.1', port: proxy.port }).catch((error: unknown) => {
        return error instanceof Error ? error.message : String(error)
      })
      await eventually(() => {
        if (proxy.counters.requests.length === 0) throw new Error('no request yet')
      })
      proxy.cut()
      proxy.resume('toClient')
      const failure = await starting
      const took = ((performance.now() - startedAt) / 1_000).toFixed(2)
      await contender.stop()
      return typeof failure === 'string' ? `the call fails: ${failure}` : `registered after ${took} s`
    }),
  )
}

/** A process that registers and is killed. */
async function killed(contenders: readonly Contender[]): Promise<readonly string[]> {
  await using agent = await startConsul()
  const script = fileURLToPath(new URL('registration/victim.ts', import.meta.url))
  return await Promise.all(
    contenders.map(async ({ service }) => {
      const child = fork(script, [service, agent.host, String(agent.port)], { execArgv: ['--import', 'tsx'] })
      await once(child, 'message')
      child.kill('SIGKILL')
      const killedAt = performance.now()
      const since = (): string => `${((performance.now() - killedAt) / 1_000).toFixed(1)} s`
      const ask = async (query: string): Promise<number> =>
        (await agent.read<unknown[]>(`/v1/health/service/${service}${query}`)).length
      const none = (query: string) => async (): Promise<void> => {
        if ((await ask(query)) > 0) throw new Error('still there')
      }
      await eventually(none('?passing'), { within: 30_000, every: 50 })
      const criticalAfter = since()
      const removed = await eventually(none(''), { within: 110_000, every: 200 }).then(since, () => 'never')
      return `${criticalAfter} / ${removed}`
    }),
  )
}
