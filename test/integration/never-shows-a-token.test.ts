import { inspect } from 'node:util'
import { expect, it } from 'vitest'
import { Proconsul } from '../../src/index.js'
import { startConsul } from '../support/consul-agent.js'
import { eventually } from '../support/eventually.js'
import { recordingLogger } from '../support/recording-logger.js'

const show = (value: unknown): string => {
  let json: string
  try {
    json = JSON.stringify(value)
  } catch {
    json = ''
  }
  return (
    inspect(value, { depth: 30, showHidden: true, getters: true, maxArrayLength: null, maxStringLength: null }) + json
  )
}

it('in a message, a log, an event, or anything inspected or serialised, while things go well and while they fail', async () => {
  await using agent = await startConsul({ acl: true })
  const token = await agent.acl.createToken(`
    service_prefix "" { policy = "write" } node_prefix "" { policy = "read" }
    key_prefix "" { policy = "write" } agent_prefix "" { policy = "read" }`)
  const logger = recordingLogger()
  const seen: unknown[] = []
  const notice = (...what: unknown[]): unknown => seen.push(...what)
  const consul = new Proconsul({
    address: agent.address,
    token: token.secret,
    auth: 'user:hunter2',
    logger,
    timeout: '3s',
  })
  const settings = await consul.config({ layers: ['config/secretive'], defaults: { a: 1 } })
  settings.on('change', notice)
  const own = await consul.config({ layers: ['config/own'], defaults: {}, token: token.secret })
  own.on('change', notice).on('stale', notice).on('error', notice)
  consul.kv.watch('config/x', { token: token.secret }).on('error', notice).on('stale', notice)
  const watcher = consul.watchService('secretive')
  watcher.on('change', notice).on('stale', notice).on('error', notice).on('recovered', notice)
  const registration = await consul.registerService({
    name: 'secretive',
    address: '127.0.0.1',
    port: 3000,
    check: { type: 'ttl', ttl: '3s' },
  })
  registration.on('lost', notice).on('heartbeatFailed', notice).on('health', notice)
  await watcher.ready()
  notice(await consul.agent.self(), await consul.kv.list('config/'))

  await agent.acl.deleteToken(token)
  await eventually(async () => {
    const error: unknown = await consul.kv.get('config/x').then(
      () => undefined,
      (thrown: unknown) => thrown,
    )
    expect(error).toMatchObject({ code: 'PROCONSUL_PERMISSION_DENIED' })
    notice(error)
  })
  for (const call of [
    () => consul.discover('secretive'),
    () => consul.kv.set('a', 'b'),
    () => consul.deregisterService('secretive'),
    () => consul.agent.self(),
  ]) {
    notice(await call().catch((error: unknown) => error))
  }
  await agent.kill()
  notice(await consul.status.leader().catch((error: unknown) => error))
  await eventually(() => expect(logger.entries.length).toBeGreaterThan(0))
  notice(consul, consul.debug(), settings, own, watcher, registration, logger.entries)
  notice(await consul.close({ timeout: '2s' }))

  const everything = seen.map(show).join('\n')
  expect(everything.length).toBeGreaterThan(1_000)
  for (const secret of [token.secret, 'hunter2', Buffer.from('user:hunter2').toString('base64')]) {
    expect(everything).not.toContain(secret)
  }
})
