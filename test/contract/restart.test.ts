import { expect } from 'vitest'
import { contract } from './support/contract.js'

contract('an agent that lost its state', ({ must, since, before, http, agent }) => {
  must('has forgotten services, checks, keys and sessions, and counts from the beginning', async () => {
    for (let i = 0; i < 30; i++) await http.put(`/v1/kv/key-${i}`, 'v')
    await http.put('/v1/agent/service/register', { Name: 'web', Check: { TTL: '1h' } })
    const session = (await http.put('/v1/session/create', {})).json<{ ID: string }>().ID
    const nodeId = (await http.get('/v1/agent/self')).json<{ Config: { NodeID: string } }>().Config.NodeID
    const indexBefore = (await http.get('/v1/health/service/web')).index
    await agent().restart()
    http.close()
    expect((await http.get('/v1/agent/services')).json()).toEqual({})
    expect((await http.get('/v1/agent/checks')).json()).toEqual({})
    expect((await http.get('/v1/kv/?keys')).json()).toEqual([])
    expect((await http.get(`/v1/session/info/${session}`)).json()).toEqual([])
    expect((await http.get('/v1/health/service/web')).json()).toEqual([])
    expect((await http.get('/v1/catalog/nodes')).index).toBeLessThan(indexBefore)
    expect((await http.get('/v1/agent/self')).json<{ Config: { NodeID: string } }>().Config.NodeID).not.toBe(nodeId)
  })

  before('1.11.0', 'unknown ids answer 404 since')('answers 500 to the heartbeats of what it forgot', async () => {
    expect((await http.put('/v1/agent/check/pass/service:web')).status).toBe(500)
  })

  since('1.11.0', 'unknown ids answered 500 before')('answers 404 to the heartbeats of what it forgot', async () => {
    expect((await http.put('/v1/agent/check/pass/service:web')).status).toBe(404)
  })

  must('sleeps through changes for those who wait with an index of its former life', async () => {
    const waiting = http.get('/v1/kv/fresh?index=5000&wait=600ms')
    const begun = performance.now()
    await http.get('/v1/status/leader')
    await http.put('/v1/kv/fresh', '1')
    expect((await waiting).status).toBe(200)
    expect(performance.now() - begun).toBeGreaterThan(400)
  })
})
