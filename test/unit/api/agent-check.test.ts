import { describe, expect, it } from 'vitest'
import { AgentCheckApi } from '../../../src/api/agent-check.js'
import { ProconsulError, type ProconsulErrorCode } from '../../../src/errors/proconsul-error.js'
import { ScriptedHttp } from './scripted-http.js'

const failing = (code: ProconsulErrorCode) =>
  new AgentCheckApi({ request: () => Promise.reject(new ProconsulError(code, 'no')) })

describe('AgentCheckApi', () => {
  it('marks TTL checks, each in its way', async () => {
    const http = new ScriptedHttp()
    const checks = new AgentCheckApi(http)
    await checks.pass('service:w', 'fine')
    expect(http.last).toMatchObject({ path: '/agent/check/pass/service%3Aw', query: { note: 'fine' } })
    await checks.warn('c')
    await checks.fail('c')
    expect(http.requests.map(({ path }) => path)).toEqual([
      '/agent/check/pass/service%3Aw',
      '/agent/check/warn/c',
      '/agent/check/fail/c',
    ])
    await checks.update('c', 'warning', 'slow')
    expect(http.last).toMatchObject({ body: { Status: 'warning', Output: 'slow' }, vital: true, idempotent: true })
  })

  it('calls the id of a check by the name that this endpoint has for it', async () => {
    const http = new ScriptedHttp()
    await new AgentCheckApi(http).register({ type: 'ttl', id: 'c', name: 'n', ttlMs: 5_000 }, { serviceId: 'w' })
    expect(http.last.body).toEqual({ ID: 'c', Name: 'n', TTL: '5s', ServiceID: 'w' })
  })

  it('has removed what was not there, and passes on what went wrong', async () => {
    await expect(failing('PROCONSUL_NOT_FOUND').deregister('c')).resolves.toBeUndefined()
    await expect(failing('PROCONSUL_UNAVAILABLE').deregister('c')).rejects.toMatchObject({
      code: 'PROCONSUL_UNAVAILABLE',
    })
    await expect(failing('PROCONSUL_NOT_FOUND').update('c', 'passing')).rejects.toMatchObject({
      code: 'PROCONSUL_NOT_FOUND',
    })
  })

  it('lists checks complete whatever the agent leaves out', async () => {
    const http = new ScriptedHttp({ body: '{"c":{"CheckID":"c","Status":"odd"}}' })
    expect(await new AgentCheckApi(http).list()).toMatchObject([
      { id: 'c', status: 'critical', output: '', serviceId: '' },
    ])
  })
})
