import { expect } from 'vitest'
import type { ServiceInstance } from '../../src/instances/service-instance.js'
import type { ServiceWatcher } from '../../src/instances/service-watcher.js'
import type { ConsulAgent } from '../support/consul-agent.js'

/** Registers an instance of the service "web" that passes its check. */
export async function register(agent: ConsulAgent, id: string): Promise<void> {
  const body = { Name: 'web', ID: id, Port: 80, Check: { TTL: '600s', Status: 'passing' } }
  const answer = await agent.request('PUT', '/v1/agent/service/register', { body })
  expect(answer.status).toBe(200)
}

export const ids = (instances: readonly ServiceInstance[]): string[] => instances.map((instance) => instance.id).sort()

/** What a watcher told, in words, in order. */
export function record(watcher: ServiceWatcher): string[] {
  const told: string[] = []
  watcher.on('change', ({ added, removed }) => {
    told.push(...added.map(({ id }) => `+${id}`), ...removed.map(({ id }) => `-${id}`))
  })
  watcher.on('stale', () => told.push('stale'))
  watcher.on('recovered', () => told.push('recovered'))
  watcher.on('error', ({ code }) => told.push(code))
  return told
}
