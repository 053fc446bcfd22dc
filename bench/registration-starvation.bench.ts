import { setTimeout as pause } from 'node:timers/promises'
import { Proconsul } from '../src/proconsul.js'
import type { ConsulAgent } from '../test/support/consul-agent.js'

/**
 * Heartbeats of a TTL service of 6 s while the same client watches 500 services that change all the time, and a configuration that is
 * rewritten all the time: by how much the latest beat was late.
 */

const WATCHES = 500
const TTL_MS = 6_000
const LENGTH_MS = 30_000
const KEYS = 50

export default async function registrationStarvation({ consul }: { readonly consul: ConsulAgent }): Promise<void> {
  await using client = new Proconsul({ address: consul.url })
  await using writer = new Proconsul({ address: consul.url })
  const registration = await client.registerService({ name: 'steady', check: { ttl: TTL_MS } })
  const beatsAt = [performance.now()]
  let failed = 0
  registration.on('heartbeat', () => beatsAt.push(performance.now()))
  registration.on('heartbeatFailed', () => (failed += 1))
  let changes = 0
  for (let index = 0; index < WATCHES; index += 1) {
    client.watchService(`stormy-${index}`).on('change', () => (changes += 1))
  }
  await writer.kv.set('storm/key-0', '0')
  const settings = await client.config({ layers: ['storm'], format: 'keys' })
  let reloads = 0
  settings.on('change', () => (reloads += 1))
  const until = performance.now() + LENGTH_MS
  for (let round = 0; performance.now() < until; round += 1) {
    await Promise.all([
      ...Array.from({ length: 8 }, (_, lane) => flip(consul, `stormy-${(round * 8 + lane) % WATCHES}`, round)),
      writer.kv.set(`storm/key-${round % KEYS}`, String(round)),
    ])
    if (round % 50 === 0) await pause(1)
  }
  const gaps = beatsAt.slice(1).map((at, index) => at - (beatsAt[index] ?? at))
  const lateMs = Math.max(0, Math.max(...gaps) - TTL_MS / 3)
  console.log(
    `${gaps.length} beats beside ${changes} changes of ${WATCHES} watches and ${reloads} reloads; failed ${failed}; ` +
      `latest beat ${lateMs.toFixed(0)} ms late, ${((100 * lateMs) / TTL_MS).toFixed(1)} % of the TTL (jitter included)`,
  )
}

async function flip(consul: ConsulAgent, name: string, round: number): Promise<void> {
  const body = { ID: name, Name: name, Port: 1 + (round % 60_000), Tags: [`r${round}`] }
  await consul.request('PUT', '/v1/agent/service/register', { body })
}
