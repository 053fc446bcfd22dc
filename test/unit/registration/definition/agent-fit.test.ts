import { describe, expect, it } from 'vitest'
import { AgentApi } from '../../../../src/api/agent.js'
import type { CheckRegistration } from '../../../../src/api/agent-check.js'
import { ProconsulError } from '../../../../src/errors/proconsul-error.js'
import { refuseForeignFields, refuseLoopbackChecks } from '../../../../src/registration/definition/agent-fit.js'
import { ScriptedHttp } from '../../api/scripted-http.js'

const base = { id: 'c', name: 'c', intervalMs: 1_000 }

describe('refuseLoopbackChecks', () => {
  it.each<CheckRegistration>([
    { ...base, type: 'http', url: 'http://localhost:3000/health' },
    { ...base, type: 'http', url: 'http://[::1]:3000' },
    { ...base, type: 'tcp', address: '127.0.0.1:80' },
    { ...base, type: 'grpc', address: '[::1]:80/service' },
  ])('refuses $type $url$address, which an agent elsewhere would ask of itself', (check) => {
    expect(() => refuseLoopbackChecks([check], false)).toThrow(/which is on another host/)
    expect(() => refuseLoopbackChecks([check], true)).not.toThrow()
  })

  it('accepts what others can reach', () => {
    expect(() => refuseLoopbackChecks([{ ...base, type: 'tcp', address: '10.0.0.1:80' }], false)).not.toThrow()
  })
})

describe('refuseForeignFields', () => {
  const service = { id: 'a', name: 'a', ports: [{ name: 'http', port: 80, isDefault: true }] }
  const agent = (version: string): AgentApi =>
    new AgentApi(new ScriptedHttp({ body: JSON.stringify({ Config: { Version: version } }) }))

  it.each(['1.8.7', '1.21.9+ent'])('refuses several ports for an agent of version %s', async (version) => {
    await expect(refuseForeignFields(service, agent(version))).rejects.toMatchObject({
      code: 'PROCONSUL_INVALID_OPTION',
    })
  })

  it.each(['1.22.0', '2.1.0', ''])('lets the agent of version "%s" decide', async (version) => {
    await expect(refuseForeignFields(service, agent(version))).resolves.toBeUndefined()
  })

  it('does without the version when the token may not read it, and asks for none without need', async () => {
    const denied = new AgentApi({
      request: () => Promise.reject(new ProconsulError('PROCONSUL_PERMISSION_DENIED', 'no')),
    })
    await expect(refuseForeignFields(service, denied)).resolves.toBeUndefined()
    const http = new ScriptedHttp()
    await refuseForeignFields({ id: 'a', name: 'a' }, new AgentApi(http))
    expect(http.requests).toEqual([])
  })
})
