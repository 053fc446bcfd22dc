import { expect } from 'vitest'
import { eventually } from '../support/eventually.js'
import { contract } from './support/contract.js'

contract(
  'ACLs that deny by default',
  ({ must, since, before, http, agent, unique }) => {
    const NONE = ''
    /** A token with these rules. */
    const token = async (rules: string) => {
      const policy = (await http.put('/v1/acl/policy', { Name: unique('policy'), Rules: rules })).json<{ ID: string }>()
      return (await http.put('/v1/acl/token', { Policies: [{ ID: policy.ID }] })).json<{
        SecretID: string
        AccessorID: string
      }>()
    }
    const register = (name: string, as: string) =>
      http.put('/v1/agent/service/register', { Name: name, Check: { TTL: '1h' } }, { token: as })
    const denied = (answer: { status: number; text: string }) => {
      expect(answer.status).toBe(403)
      expect(answer.text).toMatch(/^Permission denied/)
    }

    must('let a token register what it may write, and nothing else', async () => {
      const name = unique('web')
      const { SecretID } = await token(`service "${name}" { policy = "write" }`)
      expect((await register(name, SecretID)).status).toBe(200)
      denied(await register(unique('other'), SecretID))
      denied(await register(name, NONE))
      expect((await http.put(`/v1/agent/check/pass/service:${name}`, undefined, { token: SecretID })).status).toBe(200)
      denied(await http.put(`/v1/agent/check/pass/service:${name}`, undefined, { token: NONE }))
      denied(await http.put(`/v1/agent/service/deregister/${name}`, undefined, { token: NONE }))
      expect((await http.put(`/v1/agent/service/deregister/${name}`, undefined, { token: SecretID })).status).toBe(200)
    })

    before('1.12.0', 'refusals name the token since')('say what was missing on the agent’s own calls', async () => {
      const name = unique('web')
      expect((await register(name, NONE)).text).toBe(`Permission denied: Missing service:write on ${name}`)
    })

    since('1.12.0', 'refusals were short before')('say who lacks which permission on what', async () => {
      const name = unique('web')
      const { SecretID, AccessorID } = await token('service "x" { policy = "read" }')
      expect((await register(name, SecretID)).text).toBe(
        `Permission denied: token with AccessorID '${AccessorID}' lacks permission 'service:write' on "${name}"`,
      )
    })

    must('shorten lists without a word, for want of the service or of its node', async () => {
      const name = unique('web')
      await register(name, agent().managementToken ?? '')
      const both = await token(`service "${name}" { policy = "read" } node_prefix "" { policy = "read" }`)
      const onlyService = await token(`service "${name}" { policy = "read" }`)
      const seen = async (as: string) =>
        (await http.get(`/v1/health/service/${name}`, { token: as })).json<object[]>().length
      expect(await seen(both.SecretID)).toBe(1)
      expect(await seen(onlyService.SecretID)).toBe(0)
      expect(await seen(NONE)).toBe(0)
      const names = async (as: string) =>
        Object.keys((await http.get('/v1/catalog/services', { token: as })).json<object>())
      expect(await names(onlyService.SecretID)).toEqual([name])
      expect(await names(NONE)).toEqual([])
      expect((await http.get('/v1/agent/services', { token: NONE })).json()).toEqual({})
      expect((await http.get('/v1/session/list', { token: NONE })).json()).toEqual([])
      expect((await http.get('/v1/catalog/nodes', { token: NONE })).json()).toEqual([])
    })

    since('1.11.0', 'the header came with 1.11')('tell a token of its own that a list was shortened', async () => {
      const name = unique('web')
      await register(name, agent().managementToken ?? '')
      const { SecretID } = await token('node_prefix "" { policy = "read" }')
      const mine = await http.get(`/v1/health/service/${name}`, { token: SecretID })
      expect(mine.headers['x-consul-results-filtered-by-acls']).toBe('true')
      const anonymous = await http.get(`/v1/health/service/${name}`, { token: NONE })
      expect(anonymous.headers['x-consul-results-filtered-by-acls']).toBeUndefined()
    })

    since('1.9.0', 'the header came with 1.9')('name the default policy on every answer', async () => {
      expect((await http.get('/v1/status/leader')).headers['x-consul-default-acl-policy']).toBe('deny')
    })

    must('refuse single things, and hide keys in lists', async () => {
      const prefix = unique('cfg')
      await http.put(`/v1/kv/${prefix}/a`, '1')
      const reader = await token(`key_prefix "${prefix}/" { policy = "read" }`)
      expect((await http.get(`/v1/kv/${prefix}/a?raw`, { token: reader.SecretID })).text).toBe('1')
      denied(await http.put(`/v1/kv/${prefix}/a`, '2', { token: reader.SecretID }))
      denied(await http.delete(`/v1/kv/${prefix}/a`, { token: reader.SecretID }))
      denied(await http.get(`/v1/kv/${prefix}/a`, { token: NONE }))
      expect((await http.get(`/v1/kv/${prefix}/?recurse`, { token: NONE })).status).toBe(404)
      expect((await http.get(`/v1/kv/${prefix}/?keys`, { token: NONE })).status).toBe(404)
    })

    must('prefer the exact rule, then the longest prefix', async () => {
      const prefix = unique('cfg')
      const { SecretID } = await token(
        `key_prefix "${prefix}/" { policy = "write" } key_prefix "${prefix}/secret/" { policy = "deny" } key "${prefix}/secret/open" { policy = "read" }`,
      )
      for (const key of ['a', 'secret/b', 'secret/open']) await http.put(`/v1/kv/${prefix}/${key}`, key)
      const status = async (key: string) => (await http.get(`/v1/kv/${prefix}/${key}`, { token: SecretID })).status
      expect([await status('a'), await status('secret/b'), await status('secret/open')]).toEqual([200, 403, 200])
      expect((await http.get(`/v1/kv/${prefix}/?keys`, { token: SecretID })).json()).toEqual([
        `${prefix}/a`,
        `${prefix}/secret/open`,
      ])
      denied(await http.delete(`/v1/kv/${prefix}/?recurse`, { token: SecretID }))
    })

    must('fail a transaction that does what its token may not', async () => {
      const key = unique('key')
      await http.put(`/v1/kv/${key}`, '1')
      const write = await http.put('/v1/txn', [{ KV: { Verb: 'set', Key: key, Value: '' } }], { token: NONE })
      expect(write.status).toBe(409)
      expect(write.text).toContain('Permission denied')
    })

    must('let sessions be made for nodes that may be written', async () => {
      const { SecretID } = await token(`session "${agent().node}" { policy = "write" }`)
      expect((await http.put('/v1/session/create', {}, { token: SecretID })).status).toBe(200)
      denied(await http.put('/v1/session/create', {}, { token: NONE }))
    })

    must('refuse an unknown token everywhere but for the status', async () => {
      for (const path of [
        '/v1/health/service/x',
        '/v1/catalog/services',
        '/v1/kv/x',
        '/v1/agent/services',
        '/v1/session/list',
      ]) {
        const answer = await http.get(path, { token: 'no-such-token' })
        expect([path, answer.status, answer.text]).toEqual([path, 403, 'ACL not found'])
      }
      expect((await http.get('/v1/status/leader', { token: 'no-such-token' })).status).toBe(200)
    })

    must('put an index of no meaning on refusals of health and catalog', async () => {
      expect((await http.get('/v1/health/service/x', { token: 'no-such-token' })).headers).toMatchObject({
        'x-consul-index': '1',
        'x-consul-knownleader': 'false',
      })
      expect((await http.get('/v1/kv/x', { token: 'no-such-token' })).headers['x-consul-index']).toBeUndefined()
    })

    must('take a token from the query, the header or the bearer', async () => {
      const key = unique('key')
      await http.put(`/v1/kv/${key}`, '1')
      const secret = agent().managementToken ?? ''
      const bare = { token: NONE }
      expect((await http.get(`/v1/kv/${key}?token=${secret}`, bare)).status).toBe(200)
      expect(
        (await http.get(`/v1/kv/${key}`, { ...bare, headers: { authorization: `Bearer ${secret}` } })).status,
      ).toBe(200)
      expect(
        (await http.get(`/v1/kv/${key}`, { ...bare, headers: { authorization: `bearer ${secret}` } })).status,
      ).toBe(200)
      expect((await http.get(`/v1/kv/${key}?token=no-such-token`)).status).toBe(403)
    })

    must('forget a token that is deleted, and keep what it registered', async () => {
      const name = unique('web')
      const { SecretID, AccessorID } = await token(`service "${name}" { policy = "write" }`)
      await register(name, SecretID)
      expect((await http.delete(`/v1/acl/token/${AccessorID}`)).json()).toBe(true)
      await eventually(async () =>
        expect((await http.get('/v1/agent/services', { token: SecretID })).text).toBe('ACL not found'),
      )
      expect((await http.put(`/v1/agent/service/deregister/${name}`)).status).toBe(200)
      expect((await http.get(`/v1/agent/service/${name}`)).status).toBe(404)
      expect((await http.get(`/v1/health/service/${name}`)).json()).toHaveLength(1)
    })

    must('show a token to its bearer', async () => {
      const { SecretID, AccessorID } = await token('service "x" { policy = "read" }')
      expect((await http.get('/v1/acl/token/self', { token: SecretID })).json()).toMatchObject({ AccessorID, SecretID })
      expect((await http.get('/v1/acl/token/self', { token: NONE })).status).toBe(403)
      denied(await http.get('/v1/acl/tokens', { token: SecretID }))
    })

    must('refuse policies that cannot be read or have a name twice', async () => {
      const name = unique('policy')
      expect((await http.put('/v1/acl/policy', { Name: name, Rules: 'bogus' })).text).toMatch(
        /^Failed to parse ACL rules/,
      )
      await http.put('/v1/acl/policy', { Name: name, Rules: '' })
      const again = await http.put('/v1/acl/policy', { Name: name, Rules: '' })
      expect([again.status, again.text]).toEqual([500, `Invalid Policy: A Policy with Name "${name}" already exists`])
      const unknown = await http.put('/v1/acl/token', { Policies: [{ Name: 'nope' }] })
      expect([unknown.status, unknown.text]).toEqual([500, 'No such ACL policy with name "nope"'])
    })

    before('1.11.0', 'unknown ids answer 404 since')('answer 500 for unknown ids', async () => {
      expect((await http.put('/v1/agent/check/pass/nope')).text).toBe('Unknown check "nope"')
      expect((await http.put('/v1/agent/service/deregister/nope')).text).toBe('Unknown service {"nope" {}}')
    })
  },
  { acl: true },
)

contract('no ACLs', ({ must, http }) => {
  must('answer that there are none', async () => {
    for (const path of ['/v1/acl/tokens', '/v1/acl/token/self', '/v1/acl/policies']) {
      const answer = await http.get(path)
      expect([answer.status, answer.text]).toEqual([401, 'ACL support disabled'])
    }
  })

  must('take any token for none', async () => {
    expect((await http.get('/v1/catalog/services', { token: 'anything' })).status).toBe(200)
  })
})
