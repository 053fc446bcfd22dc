/** The npm package `consul`, which is not ours, as a witness: what works with it on a real agent works on the embedded one. */
import Consul from 'consul'
import { expect } from 'vitest'
import { eventually } from '../support/eventually.js'
import { contract } from './support/contract.js'

contract('the npm client', ({ must, agent, unique }) => {
  const client = () => {
    const { hostname, port } = new URL(agent().url)
    return new Consul({ host: hostname, port: Number(port), secure: false })
  }

  must('registers a service, keeps it alive, finds it and deregisters it', async () => {
    const consul = client()
    const name = unique('web')
    await consul.agent.service.register({
      id: `${name}-1`,
      name,
      port: 8080,
      tags: ['v1'],
      check: { name: 'alive', ttl: '30s', timeout: '5s' },
    })
    await consul.agent.check.pass(`service:${name}-1`)
    const found = (await consul.health.service({ service: name, passing: true })) as {
      Service: { ID: string; Port: number }
    }[]
    expect(found).toMatchObject([{ Service: { ID: `${name}-1`, Port: 8080 } }])
    expect(await consul.agent.services()).toHaveProperty(`${name}-1`)
    expect(await consul.catalog.service.list()).toHaveProperty(name, ['v1'])
    await consul.agent.check.fail(`service:${name}-1`)
    expect(await consul.health.service({ service: name, passing: true })).toEqual([])
    await consul.agent.service.deregister(`${name}-1`)
    expect(await consul.health.service(name)).toEqual([])
    consul.destroy()
  })

  must('writes, reads, lists and deletes keys', async () => {
    const consul = client()
    const folder = unique('folder')
    expect(await consul.kv.set(`${folder}/a b`, 'one')).toBe(true)
    await consul.kv.set({ key: `${folder}/c`, value: 'two', flags: 5 })
    expect(await consul.kv.get(`${folder}/a b`)).toMatchObject({ Value: 'one', Flags: 0 })
    expect(await consul.kv.keys(`${folder}/`)).toEqual([`${folder}/a b`, `${folder}/c`])
    expect(await consul.kv.get({ key: `${folder}/`, recurse: true })).toHaveLength(2)
    await consul.kv.set({ key: `${folder}/c`, value: 'not written', cas: 0 })
    expect(await consul.kv.get(`${folder}/c`)).toMatchObject({ Value: 'two', Flags: 5 })
    await consul.kv.del({ key: `${folder}/`, recurse: true })
    expect(await consul.kv.get(`${folder}/c`)).toBeFalsy()
    consul.destroy()
  })

  must('creates, renews and destroys sessions, and holds locks with them', async () => {
    const consul = client()
    const key = unique('lock')
    const { ID } = await consul.session.create({ ttl: '10s', lockdelay: '1s' })
    expect(await consul.kv.set({ key, value: 'me', acquire: ID })).toBe(true)
    expect(await consul.kv.get(key)).toMatchObject({ Session: ID })
    expect(await consul.session.renew(ID)).toMatchObject([{ ID }])
    expect(await consul.kv.set({ key, value: 'me', release: ID })).toBe(true)
    await consul.session.destroy(ID)
    expect(await consul.session.list()).not.toContainEqual(expect.objectContaining({ ID }))
    consul.destroy()
  })

  must('watches a key', async () => {
    const consul = client()
    const key = unique('watched')
    await consul.kv.set(key, '1')
    const seen: unknown[] = []
    const watch = consul.watch({ method: consul.kv.get.bind(consul.kv), options: { key, wait: '5s' } })
    watch.on('change', (data: { Value: string }) => seen.push(data.Value))
    await eventually(() => expect(seen).toEqual(['1']))
    await consul.kv.set(key, '2')
    await eventually(() => expect(seen).toEqual(['1', '2']))
    watch.end()
    consul.destroy()
  })

  must('watches the health of a service', async () => {
    const consul = client()
    const name = unique('web')
    const counts: number[] = []
    const watch = consul.watch({
      method: consul.health.service.bind(consul.health),
      options: { service: name, passing: 'true', wait: '5s' },
    })
    watch.on('change', (data: unknown[]) => counts.push(data.length))
    await eventually(() => expect(counts).toEqual([0]))
    await consul.agent.service.register({ id: name, name, check: { name: 'alive', ttl: '30s', timeout: '5s' } })
    await consul.agent.check.pass(`service:${name}`)
    await eventually(() => expect(counts.at(-1)).toBe(1))
    await consul.agent.service.deregister(name)
    await eventually(() => expect(counts.at(-1)).toBe(0))
    watch.end()
    consul.destroy()
  })

  must('tells who the agent and its leader are', async () => {
    const consul = client()
    expect(await consul.status.leader()).toMatch(/^127\.0\.0\.1:\d+$/)
    expect(await consul.agent.self()).toMatchObject({ Config: { NodeName: agent().node } })
    expect(await consul.catalog.datacenters()).toEqual(['dc1'])
    consul.destroy()
  })
})
