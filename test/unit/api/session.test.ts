import { describe, expect, it } from 'vitest'
import { SessionApi } from '../../../src/api/session.js'
import { ScriptedHttp } from './scripted-http.js'

describe('SessionApi', () => {
  it('creates a session from what was given and nothing else', async () => {
    const http = new ScriptedHttp({ body: '{"ID":"s-1"}' })
    const sessions = new SessionApi(http)
    expect(await sessions.create()).toBe('s-1')
    expect(http.last).toMatchObject({ path: '/session/create', body: {}, idempotent: false })
    await sessions.create({
      ttl: '15s',
      lockDelay: 0,
      behavior: 'delete',
      serviceChecks: ['c'],
      nodeChecks: [],
      name: 'n',
    })
    expect(http.last.body).toEqual({
      Name: 'n',
      TTL: '15s',
      LockDelay: '0s',
      Behavior: 'delete',
      NodeChecks: [],
      ServiceChecks: [{ ID: 'c' }],
    })
  })

  it.each([
    ['720h', '2592000s'],
    ['8760h', '31536000s'],
    ['1m30s', '90s'],
  ])('takes a lock delay of %s, which no timer here has to measure', async (lockDelay, sent) => {
    const http = new ScriptedHttp({ body: '{"ID":"s-1"}' })
    await new SessionApi(http).create({ lockDelay })
    expect(http.last.body).toEqual({ LockDelay: sent })
  })

  it.each([
    { ttl: '9s' },
    { ttl: '25h' },
    { behavior: 'bogus' },
    { lockDelay: '2562048h' },
    { lockDelay: -1 },
    { nodeChecks: 'serfHealth' },
    { serviceChecks: [5] },
    { tll: '10s' },
  ])('refuses %j', async (definition) => {
    await expect(new SessionApi(new ScriptedHttp()).create(definition as never)).rejects.toMatchObject({
      code: 'PROCONSUL_INVALID_OPTION',
    })
  })

  it('reads a session complete whatever the agent leaves out', async () => {
    const body = '[{"ID":"s","TTL":"1m30s","LockDelay":15000000000,"ServiceChecks":null}]'
    const http = new ScriptedHttp({ body, index: 3 })
    expect(await new SessionApi(http).info('s')).toEqual({
      value: {
        id: 's',
        name: '',
        node: '',
        ttlMs: 90_000,
        lockDelayMs: 15_000,
        behavior: 'release',
        nodeChecks: [],
        serviceChecks: [],
        createIndex: 0,
        modifyIndex: 0,
      },
      meta: { index: 3 },
    })
  })

  it('takes a session that is gone for an answer', async () => {
    expect(await new SessionApi(new ScriptedHttp({ status: 404 })).renew('s')).toBeUndefined()
    expect((await new SessionApi(new ScriptedHttp({ body: '[]' })).info('s')).value).toBeUndefined()
    expect((await new SessionApi(new ScriptedHttp({ body: 'null' })).list()).value).toEqual([])
    expect((await new SessionApi(new ScriptedHttp({ body: '[]' })).node('n/1')).value).toEqual([])
    await new SessionApi(new ScriptedHttp({ body: 'true' })).destroy('s')
  })
})
