import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { DEAD, FAR } from '../unit/registration/played-agent.js'
import { eventually } from '../support/eventually.js'
import { REGISTRIES, type RunningRegistry } from './support/registry-subject.js'

describe.each(REGISTRIES)('a record of a registry ($name)', ({ start }) => {
  let registry: RunningRegistry
  beforeAll(async () => {
    registry = await start()
  })
  afterAll(() => registry.close())
  const { signal } = new AbortController()
  const nothing = () => Promise.resolve()

  it('is gone before it is put, right after it, and gone when it was lost', async () => {
    const record = registry.record({ name: 'put', id: 'put' })
    expect([await record.inspect(signal, false), record.mayBeThere]).toEqual([{ type: 'gone' }, false])
    await record.put({ status: 'passing' }, signal)
    expect([await record.inspect(signal, false), record.mayBeThere]).toEqual([{ type: 'right' }, true])
    await registry.forget('put')
    expect(await record.inspect(signal, false)).toEqual({ type: 'gone' })
  })

  it('begins with the status that it is put with, and has that of each heartbeat from then on', async () => {
    const record = registry.record({ name: 'status', id: 'status' })
    await record.put({ status: 'critical' }, signal)
    expect(await registry.found('status')).toEqual([])
    await record.beat({ status: 'passing', output: '' }, signal)
    await eventually(async () => expect(await registry.found('status')).toEqual(['status']))
    await record.beat({ status: 'critical', output: '' }, signal)
    await eventually(async () => expect(await registry.found('status')).toEqual([]))
  })

  it('that is not there refuses a heartbeat as unknown', async () => {
    const record = registry.record({ name: 'unknown', id: 'unknown' })
    const beat = record.beat({ status: 'passing', output: '' }, signal)
    await expect(beat).rejects.toMatchObject({ code: 'PROCONSUL_NOT_FOUND' })
  })

  it('that another live run wrote is taken, and right when it was put again', async () => {
    const own = registry.record({ name: 'differs', id: 'differs', tags: ['ours'] })
    await own.put({ status: 'passing' }, signal)
    await registry.record({ name: 'differs', id: 'differs', tags: ['theirs'] }, DEAD).put({ status: 'passing' }, signal)
    expect(await own.inspect(signal, false)).toMatchObject({ type: 'taken' })
    await own.put({ status: 'passing' }, signal)
    expect(await own.inspect(signal, false)).toEqual({ type: 'right' })
  })

  it('belongs to whoever put it last, and nobody else removes it', async () => {
    const [older, newer] = [
      registry.record({ name: 'two', id: 'two' }),
      registry.record({ name: 'two', id: 'two' }, FAR),
    ]
    await older.put({ status: 'passing' }, signal)
    expect(await older.holder(signal)).toBeUndefined()
    await newer.put({ status: 'passing' }, signal)
    expect(await older.holder(signal)).toMatchObject({ runId: FAR.runId })
    expect(await older.inspect(signal, false)).toMatchObject({ type: 'taken', by: { runId: FAR.runId } })
    await older.remove(signal)
    expect(await registry.has('two')).toBe(true)
    await newer.remove(signal)
    expect(await registry.has('two')).toBe(false)
  })

  it('is another once its definition was replaced, and says so before what it replaces ends', async () => {
    const record = registry.record({ name: 'replaced', id: 'replaced', tags: ['v1'] })
    await record.put({ status: 'passing' }, signal)
    const next = registry.record({ name: 'replaced', id: 'replaced', tags: ['v2'] }).definition
    let isTaken = false
    const onTaken = () => Promise.resolve(void (isTaken = true))
    await record.replace(next, { status: 'passing', fresh: 'passing', onTaken }, signal)
    expect([isTaken, record.definition.service.tags]).toEqual([true, ['v2']])
  })

  it('is not found during a maintenance, which a further put keeps up', async () => {
    const record = registry.record({ name: 'kept-out', id: 'kept-out' })
    await record.put({ status: 'passing' }, signal)
    await record.maintenance(true, 'why', signal)
    await registry.forget('kept-out')
    await record.put({ status: 'passing' }, signal)
    expect(await registry.found('kept-out')).toEqual([])
    await record.maintenance(false, undefined, signal)
    await eventually(async () => expect(await registry.found('kept-out')).toEqual(['kept-out']))
  })

  it('is gone for everybody when it was removed, also when that is done twice', async () => {
    const record = registry.record({ name: 'removed', id: 'removed' })
    await record.put({ status: 'passing' }, signal)
    await record.remove(signal)
    await record.remove(signal)
    await eventually(async () => expect(await record.confirmGone(signal)).toBe(true))
    expect(await registry.found('removed')).toEqual([])
  })

  it('ends what it does with the signal', async () => {
    const record = registry.record({ name: 'aborted', id: 'aborted' })
    const aborted = AbortSignal.abort()
    const next = record.definition
    const calls = [
      record.put({ status: 'passing' }, aborted),
      record.replace(next, { status: 'passing', fresh: 'passing', onTaken: nothing }, aborted),
      record.beat({ status: 'passing', output: '' }, aborted),
      record.inspect(aborted, false),
      record.holder(aborted),
    ]
    const results = await Promise.allSettled(calls)
    expect(results.map(({ status }) => status)).toEqual(calls.map(() => 'rejected'))
    expect(await registry.has('aborted')).toBe(false)
  })
})
