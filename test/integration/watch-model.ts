import fc from 'fast-check'
import { expect } from 'vitest'
import type { ServiceWatchQuery } from '../../src/discovery/service-query.js'
import { instanceKey, type ServiceInstance } from '../../src/instances/service-instance.js'
import type { ServiceWatcher } from '../../src/instances/service-watcher.js'
import { eventually } from '../support/eventually.js'
import type { HttpAnswer, HttpOptions } from '../support/consul-http.js'
import { discoveryClient } from './discovery-client.js'

/** An agent of either kind, with what a model may do to it. */
export interface ModelledAgent {
  readonly url: string
  request(method: string, path: string, options?: HttpOptions): Promise<HttpAnswer>
  /** What can go wrong, by name. Each resolves when the agent answers again. */
  readonly faults: Readonly<Record<string, () => Promise<void>>>
}

const IDS = ['a', 'b', 'c', 'd', 'e', 'f'] as const
const STATUSES = ['passing', 'warning', 'critical'] as const

type Step =
  | { readonly type: 'register'; readonly id: string; readonly tag: string; readonly port: number }
  | { readonly type: 'deregister'; readonly id: string }
  | { readonly type: 'status'; readonly id: string; readonly status: (typeof STATUSES)[number] }
  | { readonly type: 'maintenance'; readonly id: string; readonly on: boolean }
  | { readonly type: 'unrelated' }
  | { readonly type: 'fault'; readonly name: string }
  | { readonly type: 'rest' }

/** Sequences of steps, of which about one in twenty is a fault. */
export function steps(faults: readonly string[]): fc.Arbitrary<readonly Step[]> {
  const id = fc.constantFrom(...IDS)
  const step = fc.oneof(
    {
      weight: 8,
      arbitrary: fc.record({
        type: fc.constant('register' as const),
        id,
        tag: fc.constantFrom('v1', 'v2'),
        port: fc.constantFrom(80, 81),
      }),
    },
    { weight: 4, arbitrary: fc.record({ type: fc.constant('deregister' as const), id }) },
    {
      weight: 8,
      arbitrary: fc.record({ type: fc.constant('status' as const), id, status: fc.constantFrom(...STATUSES) }),
    },
    { weight: 2, arbitrary: fc.record({ type: fc.constant('maintenance' as const), id, on: fc.boolean() }) },
    { weight: 2, arbitrary: fc.record({ type: fc.constant('unrelated' as const) }) },
    { weight: 3, arbitrary: fc.record({ type: fc.constant('rest' as const) }) },
    { weight: 1, arbitrary: fc.record({ type: fc.constant('fault' as const), name: fc.constantFrom(...faults) }) },
  )
  return fc.array(step, { minLength: 10, maxLength: 40 })
}

/**
 * Does the steps to the agent while four differently narrowed watchers look on, and checks at every rest, and at the end, that each
 * says what the agent says, and that the events it told, replayed onto nothing, give the same.
 */
export async function runModel(agent: ModelledAgent, sequence: readonly Step[]): Promise<void> {
  const name = `model-${Math.random().toString(36).slice(2)}`
  await using client = discoveryClient({ address: agent.url }, { interval: 20 })
  const everything = `/v1/health/service/${name}`
  const narrowed: readonly Narrowed[] = [
    { query: {}, path: everything, found: / (?:passing|warning)$/ },
    { query: { health: 'passing' }, path: `${everything}?passing`, found: /./ },
    { query: { health: 'any' }, path: everything, found: /./ },
    { query: { tags: ['v1'] }, path: `${everything}?tag=v1`, found: / (?:passing|warning)$/ },
  ]
  const followed = narrowed.map(({ query, path, found }) => {
    const watcher = client.discovery.watchService(name, { ...query, lossGuard: { hold: '300ms' } })
    const expected = async (): Promise<readonly string[]> =>
      (await asked(agent, path)).filter((line) => found.test(line))
    return { watcher, expected, replayed: replay(watcher) }
  })
  for (const step of [...sequence, { type: 'rest' } as const]) {
    if (step.type === 'rest') {
      for (const { watcher, expected, replayed } of followed) {
        await eventually(async () => expect(said(watcher.instances)).toEqual(await expected()), {
          within: 20_000,
        })
        expect(said([...replayed.instances.values()])).toEqual(said(watcher.instances))
        expect(replayed.problems).toEqual([])
      }
    } else await perform(agent, name, step)
  }
  for (const id of IDS) await agent.request('PUT', `/v1/agent/service/deregister/${name}-${id}`)
}

/** A query, what to ask the agent to compare with, and which of its lines the query finds. */
interface Narrowed {
  readonly query: ServiceWatchQuery
  readonly path: string
  readonly found: RegExp
}

interface Replay {
  readonly instances: ReadonlyMap<string, ServiceInstance>
  /** What a change said that cannot have happened. A listener must not throw: nobody would hear it. */
  readonly problems: readonly string[]
}

function replay(watcher: ServiceWatcher): Replay {
  const instances = new Map<string, ServiceInstance>()
  const problems: string[] = []
  const check = (isSo: boolean, problem: string): void => {
    if (!isSo) problems.push(problem)
  }
  const isState = (list: readonly ServiceInstance[]): boolean =>
    said([...instances.values()]).join() === said(list).join()
  watcher.on('change', ({ added, removed, updated, snapshot, previous }) => {
    check(isState(previous.instances), 'the snapshot before is not the one that was told')
    for (const instance of removed)
      check(instances.delete(instanceKey(instance)), `removed ${instance.id}, which was not there`)
    for (const instance of added) check(!instances.has(instanceKey(instance)), `added ${instance.id}, which was there`)
    for (const instance of updated)
      check(instances.has(instanceKey(instance)), `updated ${instance.id}, which was not there`)
    for (const instance of [...added, ...updated]) instances.set(instanceKey(instance), instance)
    check(isState(snapshot.instances), 'the change does not lead to its snapshot')
  })
  return { instances, problems }
}

async function perform(
  agent: ModelledAgent,
  name: string,
  step: Exclude<Step, { readonly type: 'rest' }>,
): Promise<void> {
  switch (step.type) {
    case 'register': {
      const body = {
        Name: name,
        ID: `${name}-${step.id}`,
        Port: step.port,
        Tags: [step.tag],
        Check: { TTL: '600s', Status: 'passing' },
      }
      await agent.request('PUT', '/v1/agent/service/register', { body })
      return
    }
    case 'deregister':
      await agent.request('PUT', `/v1/agent/service/deregister/${name}-${step.id}`)
      return
    case 'status':
      await agent.request('PUT', `/v1/agent/check/update/service:${name}-${step.id}`, { body: { Status: step.status } })
      return
    case 'maintenance':
      await agent.request('PUT', `/v1/agent/service/maintenance/${name}-${step.id}?enable=${step.on}`)
      return
    case 'unrelated':
      await agent.request('PUT', '/v1/kv/unrelated', { body: String(Math.random()) })
      return
    case 'fault':
      await agent.faults[step.name]?.()
  }
}

/** What the agent says, in the words of {@link said}. */
async function asked(agent: ModelledAgent, path: string): Promise<readonly string[]> {
  const answer = await agent.request('GET', path)
  const entries = answer.json() as {
    readonly Service: { readonly ID: string; readonly Port: number; readonly Tags: readonly string[] | null }
    readonly Checks: readonly { readonly CheckID: string; readonly Status: string }[]
  }[]
  return entries
    .map(({ Service, Checks }) => {
      const statuses = Checks.map(({ CheckID, Status }) => (CheckID.includes('_maintenance') ? 'maintenance' : Status))
      const worst = ['maintenance', 'critical', 'warning'].find((status) => statuses.includes(status)) ?? 'passing'
      return `${Service.ID}:${Service.Port} ${(Service.Tags ?? []).join()} ${worst}`
    })
    .sort()
}

function said(instances: readonly ServiceInstance[]): readonly string[] {
  return instances.map(({ id, port, tags, status }) => `${id}:${port} ${tags.join()} ${status}`).sort()
}
