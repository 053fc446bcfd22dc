import { Worker } from 'node:worker_threads'
import { beforeEach, describe, expect, it, vi, type MockInstance } from 'vitest'
import { systemClock } from '../../src/core/clock.js'
import { Proconsul } from '../../src/proconsul.js'
import { BeatThread } from '../../src/registration/heartbeat/thread/beat-thread.js'
import { WorkerHeartbeat } from '../../src/registration/heartbeat/worker-heartbeat.js'
import { startConsul, type ConsulAgent } from '../support/consul-agent.js'
import { eventually } from '../support/eventually.js'
import { recordingLogger } from '../support/recording-logger.js'
import { scriptedAgent } from '../support/scripted-agent.js'

it('is told by the agent that the service is unknown, and has it registered again', async () => {
  await using agent = await startConsul()
  await using consul = new Proconsul({ address: agent.url })
  const registration = await consul.registerService({
    name: 'threaded',
    check: { ttl: '2s' },
    heartbeat: { thread: 'worker' },
  })
  await agent.restart()
  await eventually(async () => {
    const entries = await agent.read<unknown[]>('/v1/health/service/threaded?passing')
    expect(entries).toHaveLength(1)
  })
  await eventually(() => expect(registration.state).toBe('registered'))
})

it('beats over TLS with a client certificate', async () => {
  await using agent = await startConsul({ tls: true })
  const { caFile, certFile, keyFile } = agent.tls
  await using consul = new Proconsul({ address: agent.url, tls: { caFile, certFile, keyFile } })
  const registration = await consul.registerService({
    name: 'secured',
    check: { ttl: '1s' },
    heartbeat: { thread: 'worker' },
  })
  let beats = 0
  registration.on('heartbeat', () => (beats += 1))
  await eventually(() => expect(beats).toBeGreaterThan(4))
})

it('gets the successor of a revoked token', async () => {
  await using agent = await startConsul({ acl: true })
  const rules = 'service_prefix "" { policy = "write" } node_prefix "" { policy = "read" }'
  const [first, second] = [await agent.acl.createToken(rules), await agent.acl.createToken(rules)]
  let token = first.secret
  await using consul = new Proconsul({ address: agent.url, token: () => token })
  const registration = await consul.registerService({
    name: 'tokened',
    check: { ttl: '2s' },
    heartbeat: { thread: 'worker' },
  })
  const failed = new Promise((resolve) => registration.once('heartbeatFailed', resolve))
  await agent.acl.deleteToken(first)
  expect(await failed).toMatchObject({ code: 'PROCONSUL_PERMISSION_DENIED' })
  token = second.secret
  let beats = 0
  registration.on('heartbeat', () => (beats += 1))
  await eventually(() => expect(beats).toBeGreaterThan(2), { within: 15_000 })
})

describe('a heartbeat thread that died', () => {
  let post: MockInstance<Worker['postMessage']>
  /** Every thread that was ever told something. */
  const threads = (): readonly Worker[] => [...new Set(post.mock.contexts.filter((thread) => thread instanceof Worker))]
  const alive = (): readonly Worker[] => threads().filter(({ threadId }) => threadId >= 0)
  const kill = (): Promise<unknown> => Promise.all(alive().map((thread) => thread.terminate()))

  beforeEach(() => {
    post = vi.spyOn(Worker.prototype, 'postMessage')
  })

  async function tagsOf(agent: ConsulAgent, id: string): Promise<unknown> {
    return (await agent.read<{ Tags: unknown }>(`/v1/agent/service/${id}`)).Tags
  }

  it('does not keep what others spoil from being put right, before and after it is started again', async () => {
    await using agent = await startConsul()
    await using consul = new Proconsul({ address: agent.url })
    const registration = await consul.registerService({
      name: 'spoilt',
      id: 'spoilt-1',
      tags: ['ours'],
      check: { ttl: '3s' },
      heartbeat: { thread: 'worker' },
    })
    const { Meta } = await agent.read<{ Meta: unknown }>('/v1/agent/service/spoilt-1')
    const body = { Name: 'spoilt', ID: 'spoilt-1', Tags: ['theirs'], Meta }
    const spoil = () => agent.request('PUT', '/v1/agent/service/register', { body })
    let beats = 0
    registration.on('heartbeat', () => (beats += 1))
    await spoil()
    await kill()
    let repairs = 0
    registration.on('repaired', () => (repairs += 1))
    await eventually(() => expect(repairs).toBe(1), { within: 20_000 })
    expect(await tagsOf(agent, 'spoilt-1')).toEqual(['ours'])
    await eventually(() => expect(beats).toBeGreaterThan(1))
    await spoil()
    await eventually(async () => expect(await tagsOf(agent, 'spoilt-1')).toEqual(['ours']), { within: 20_000 })
  })

  it('has one successor, however many services change meanwhile, and none after the client was closed', async () => {
    await using agent = await startConsul()
    await using consul = new Proconsul({ address: agent.url })
    const heartbeat = { thread: 'worker' } as const
    const a = await consul.registerService({ name: 'a', check: { ttl: '1s' }, heartbeat })
    const b = await consul.registerService({ name: 'b', check: { ttl: '1s' }, heartbeat })
    await kill()
    await b.update({ check: { ttl: '2s' } })
    let beats = 0
    a.on('heartbeat', () => (beats += 1))
    // By then the time at which it is started again has passed.
    await eventually(() => expect(beats).toBeGreaterThan(6), { within: 10_000 })
    expect(threads()).toHaveLength(2)
    await consul.close()
    expect(alive()).toEqual([])
  })

  it('is followed by one that says what the probes say now', async () => {
    await using agent = await startConsul()
    await using consul = new Proconsul({ address: agent.url })
    let isBroken = false
    const registration = await consul.registerService({
      name: 'changed',
      check: { ttl: '2s', probes: { work: { run: () => !isBroken, interval: '100ms' } } },
      heartbeat: { thread: 'worker' },
    })
    const statuses: string[] = []
    registration.on('heartbeat', ({ status }) => statuses.push(status))
    isBroken = true
    await eventually(() => expect(statuses.at(-1)).toBe('critical'))
    await kill()
    statuses.length = 0
    await eventually(() => expect(statuses.length).toBeGreaterThan(2))
    expect(new Set(statuses)).toEqual(new Set(['critical']))
  })
})

it('takes a beat that is under way back when its service leaves, and goes on with the others', async () => {
  const updates: string[] = []
  const takenBack: string[] = []
  await using agent = await scriptedAgent((request, response) => {
    const id = request.url?.split('/').at(-1) ?? ''
    updates.push(id)
    response.on('close', () => {
      if (!response.writableFinished) takenBack.push(id)
    })
    if (id !== 'silent') response.end()
  })
  const runtime = { clock: systemClock, random: Math.random, logger: recordingLogger() }
  const thread = new BeatThread(runtime, () =>
    Promise.resolve({ baseUrl: agent.url, socketPath: undefined, tls: {}, headers: {}, query: '' }),
  )
  const failures: string[] = []
  const beater = (checkId: string): WorkerHeartbeat =>
    new WorkerHeartbeat(
      {
        runtime,
        key: checkId,
        request: { operation: 'agent.check.update', path: `/v1/agent/check/update/${checkId}` },
        intervalMs: 20_000,
        keepAlive: true,
        heartbeat: { thread: 'worker', keepAlive: true, warnAfterMs: 10_000, criticalAfterMs: 30_000 },
        report: () => ({ status: 'passing', output: '' }),
        onBeat: () => undefined,
        onFailure: (error) => failures.push(error.code),
      },
      thread,
    )
  const [silent, other] = [beater('silent'), beater('other')]
  silent.start()
  other.start()
  const beat = silent.beatNow()
  await eventually(() => expect(updates).toEqual(['silent']))
  await silent.stop()
  await beat
  await eventually(() => expect(takenBack).toEqual(['silent']))
  await other.beatNow()
  expect(updates).toEqual(['silent', 'other'])
  expect(failures).toEqual([])
  await other.stop()
})
