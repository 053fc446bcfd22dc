import { Agent, request } from 'node:http'
import { Proconsul } from '../../src/proconsul.js'

/**
 * A process that keeps many TTL services alive and reports what it cost. Arguments: `ours` or `bare`, host, port, count, TTL and length
 * of the measurement in ms. Bare is the least there is: a timer and an `http.request` for each, with no probes, no repair, no jitter.
 */
const [kind = '', host = '', port = '', count = '', ttl = '', length = ''] = process.argv.slice(2)
const [total, ttlMs, lengthMs] = [Number(count), Number(ttl), Number(length)]
const beatsAt = new Map<string, number[]>()
const ids = Array.from({ length: total }, (_, index) => `${kind}-${index}`)
const failures: Record<string, number> = {}
const heard = (id: string): void => void beatsAt.get(id)?.push(performance.now())

const leave = kind === 'ours' ? await keepOurs() : await keepBare()
await new Promise((resolve) => setTimeout(resolve, ttlMs / 3))
for (const id of ids) beatsAt.set(id, [])
const cpu = process.cpuUsage()
await new Promise((resolve) => setTimeout(resolve, lengthMs))
const used = process.cpuUsage(cpu)
const gaps = [...beatsAt.values()].map((times) => times.slice(1).map((at, index) => at - (times[index] ?? at)))
const perTenth = new Map<number, number>()
for (const at of [...beatsAt.values()].flat()) {
  const slot = Math.floor(at / 100)
  perTenth.set(slot, (perTenth.get(slot) ?? 0) + 1)
}
process.send?.({
  failures,
  beats: [...beatsAt.values()].flat().length,
  longestGapMs: Math.max(...gaps.flat()),
  late: gaps.flat().filter((gapMs) => gapMs > ttlMs).length,
  cpuPercent: (used.user + used.system) / 10 / lengthMs,
  rssMb: process.memoryUsage.rss() / 1_048_576,
  busiestTenth: Math.max(...perTenth.values()),
  meanTenth: [...beatsAt.values()].flat().length / (lengthMs / 100),
})
await leave()

async function keepOurs(): Promise<() => Promise<unknown>> {
  const client = new Proconsul({ address: `http://${host}:${port}` })
  for (const id of ids) {
    const registration = await client.registerService({ name: id, id, check: { ttl: ttlMs } })
    registration.on('heartbeat', () => heard(id))
    registration.on('heartbeatFailed', ({ code }) => (failures[code] = (failures[code] ?? 0) + 1))
  }
  return () => client.close({ timeout: '60s' })
}

async function keepBare(): Promise<() => Promise<unknown>> {
  const agent = new Agent({ keepAlive: true, maxSockets: 4 })
  const send = (path: string, body: object): Promise<void> =>
    new Promise((resolve, reject) => {
      const sent = request({ host, port, agent, method: 'PUT', path }, (response) => {
        response.resume()
        response.on('end', resolve)
      })
      sent.on('error', reject)
      sent.end(JSON.stringify(body))
    })
  const timers: NodeJS.Timeout[] = []
  for (const id of ids) {
    await send('/v1/agent/service/register', { ID: id, Name: id, Check: { TTL: `${ttlMs}ms`, Status: 'passing' } })
    const beat = (): void => {
      void send(`/v1/agent/check/update/service:${id}`, { Status: 'passing', Output: 'alive' }).then(() => heard(id))
    }
    timers.push(setInterval(beat, ttlMs / 3))
  }
  return async () => {
    for (const timer of timers) clearInterval(timer)
    for (const id of ids) await send(`/v1/agent/service/deregister/${id}`, {})
    agent.destroy()
  }
}
