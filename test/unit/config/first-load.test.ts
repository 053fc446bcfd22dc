import { describe, expect, it } from 'vitest'
import type { TreeObject } from '../../../src/config/tree/tree.js'
import { Harness, cachedOf } from './harness.js'

describe('the first load', () => {
  it('waits for layers that must be there, and names them when they do not come', async () => {
    const harness = new Harness({ layers: ['a', 'b', 'c'], optional: ['c'], timeout: '10s' })
    const failed = expect(harness.outcome).rejects.toMatchObject({
      code: 'PROCONSUL_NOT_FOUND',
      message: expect.stringContaining('"b"') as string,
    })
    await harness.push({ 'a/x': '1' })
    expect(harness.logger.entries.map(({ fields }) => fields['event'])).toEqual(['layers-missing'])
    await harness.clock.advance(10_000)
    await failed
  })

  it('ends as soon as the layers are there that were missing', async () => {
    const harness = new Harness({ layers: ['a', 'b'] })
    await harness.push({ 'a/x': '1' })
    await harness.push({ 'a/x': '1', 'b/x': '2' })
    await harness.outcome
    expect(harness.settings.value).toEqual({ x: '2' })
    expect(harness.settings.rejection).toBeUndefined()
  })

  it('goes on through failures that may pass, and stops at one that will not', async () => {
    const patient = new Harness()
    await patient.fail()
    await patient.push({ 'a/x': '1' })
    await patient.outcome
    expect(patient.settings.value).toEqual({ x: '1' })
    const refused = new Harness()
    await refused.fail('PROCONSUL_PERMISSION_DENIED')
    await expect(refused.outcome).rejects.toMatchObject({ code: 'PROCONSUL_PERMISSION_DENIED' })
  })

  it('ends by its deadline, with the reason why there was nothing', async () => {
    const silent = new Harness({ timeout: '1s' })
    const failed = expect(silent.outcome).rejects.toMatchObject({ code: 'PROCONSUL_TIMEOUT' })
    await silent.clock.advance(1_000)
    await failed
    const down = new Harness({ timeout: '1s' })
    const refused = expect(down.outcome).rejects.toThrow(/layers "a" could not be loaded within 1s: no answer/)
    await down.fail()
    await down.clock.advance(1_000)
    await refused
  })

  it('ends by its signal, also by one that was aborted before', async () => {
    const controller = new AbortController()
    const harness = new Harness({ signal: controller.signal })
    const aborted = expect(harness.outcome).rejects.toMatchObject({ code: 'PROCONSUL_ABORTED' })
    await harness.clock.advance(1)
    controller.abort()
    await aborted
    expect(harness.clock.pendingTimers).toBe(0)
    await expect(new Harness({ signal: AbortSignal.abort() }).outcome).rejects.toMatchObject({
      code: 'PROCONSUL_ABORTED',
    })
  })

  it('ends at once with what is not acceptable', async () => {
    const harness = new Harness()
    const refused = expect(harness.outcome).rejects.toMatchObject({ code: 'PROCONSUL_CONFIG_INVALID' })
    await harness.push({ 'a/x': '1', 'a/x/y': '2' })
    await refused
  })
})

describe('a start from what an earlier run has kept', () => {
  const cached = cachedOf({ 'a/x': 'old', 'a/y': 'old' })

  it('comes with the first failure, and not after the deadline', async () => {
    const harness = new Harness({}, { cached })
    await harness.fail()
    await harness.outcome
    expect(harness.settings.value).toEqual({ x: 'old', y: 'old' })
    expect(harness.settings.staleness).toMatchObject({ since: 1_000, error: { code: 'PROCONSUL_UNAVAILABLE' } })
    expect(harness.clock.pendingTimers).toBe(0)
  })

  it.each(['PROCONSUL_TLS', 'PROCONSUL_RESPONSE_TOO_LARGE'] as const)('comes with %s too', async (code) => {
    const harness = new Harness({}, { cached })
    await harness.fail(code)
    await harness.outcome
    expect(harness.settings.stale).toBe(true)
  })

  it('does not come for a token that is refused', async () => {
    const harness = new Harness({}, { cached })
    await harness.fail('PROCONSUL_PERMISSION_DENIED')
    await expect(harness.outcome).rejects.toMatchObject({ code: 'PROCONSUL_PERMISSION_DENIED' })
  })

  it('comes with a state that is not acceptable, and says which', async () => {
    const schema = (value: TreeObject): TreeObject => {
      if (value['x'] === 'bad') throw new Error('bad')
      return value
    }
    const harness = new Harness({ schema, debounce: 0 }, { cached })
    await harness.push({ 'a/x': 'bad', 'a/y': '1' })
    await harness.outcome
    expect(harness.settings.rejection?.error.code).toBe('PROCONSUL_CONFIG_INVALID')
    expect(harness.settings.staleness?.error.code).toBe('PROCONSUL_CONFIG_INVALID')
    await harness.confirm()
    expect(harness.settings.stale).toBe(true)
    await harness.push({ 'a/x': 'good', 'a/y': '1' })
    expect(harness.settings.stale).toBe(false)
    expect(harness.settings.rejection).toBeUndefined()
  })

  it('comes when the layers that must be there stay away', async () => {
    const harness = new Harness({ layers: ['a', 'b'], timeout: '1s', lossGuard: false }, { cached })
    await harness.push({ 'a/x': '1' })
    await harness.clock.advance(1_000)
    await harness.outcome
    expect(harness.settings.rejection?.error.code).toBe('PROCONSUL_NOT_FOUND')
    expect(harness.settings.stale).toBe(true)
  })

  it('fails with both reasons when what was kept is not acceptable any more', async () => {
    const schema = (): never => {
      throw new Error('nothing will do')
    }
    const harness = new Harness({ schema }, { cached })
    const failed = expect(harness.outcome).rejects.toThrow(/no answer; and .* does not do: .*nothing will do/s)
    await harness.fail()
    await failed
  })

  it('gives way to what Consul answers while it is being checked', async () => {
    let go: () => void = () => undefined
    const checking = new Promise<void>((resolve) => (go = resolve))
    let checks = 0
    const schema = async (value: TreeObject): Promise<TreeObject> => {
      checks += 1
      if (checks === 1) await checking
      return value
    }
    const harness = new Harness({ schema, debounce: 0 }, { cached })
    await harness.fail()
    await harness.push({ 'a/x': 'new', 'a/y': 'new' })
    go()
    await harness.outcome
    await harness.clock.advance(1)
    expect(harness.settings.value).toEqual({ x: 'new', y: 'new' })
    expect(harness.settings.stale).toBe(false)
  })

  it('has what was kept count as known: an answer without it is held back, and the first key is not the whole', async () => {
    const harness = new Harness({ debounce: 0 }, { cached })
    await harness.fail()
    await harness.outcome
    const changes: unknown[] = []
    harness.settings.on('change', ({ value }) => changes.push(value))
    await harness.push({})
    await harness.push({ 'a/x': 'new' })
    expect(harness.settings.staleness?.error.message).toMatch(/1 keys are missing/)
    expect(changes).toEqual([])
    await harness.push({ 'a/x': 'new', 'a/y': 'old' })
    expect(harness.settings.stale).toBe(false)
    expect(changes).toEqual([{ x: 'new', y: 'old' }])
  })

  it('comes at once when Consul answers and has lost what was kept', async () => {
    const harness = new Harness({ optional: true }, { cached })
    harness.fate = 'lost'
    await harness.push({})
    await harness.outcome
    expect(harness.settings.value).toEqual({ x: 'old', y: 'old' })
    expect(harness.settings.stale).toBe(true)
    expect(harness.asked).toEqual([{ keys: ['a/x', 'a/y'], since: 10, isEarlierRun: true }])
  })

  it('is not needed when what is gone was deleted', async () => {
    const harness = new Harness({}, { cached })
    harness.fate = 'deleted'
    await harness.push({ 'a/x': 'new' })
    await harness.outcome
    expect(harness.settings.value).toEqual({ x: 'new' })
    expect(harness.settings.stale).toBe(false)
  })

  it('does not come for a token that may not read any of it', async () => {
    const harness = new Harness({ optional: true }, { cached })
    harness.fate = 'denied'
    const refused = expect(harness.outcome).rejects.toMatchObject({ code: 'PROCONSUL_PERMISSION_DENIED' })
    await harness.push({})
    await refused
  })
})

describe('a start on defaults alone', () => {
  const options = { defaults: { port: 80 }, timeout: '2s', debounce: 0 } as const

  it('is refused without being asked for', async () => {
    const harness = new Harness(options)
    const failed = expect(harness.outcome).rejects.toMatchObject({ code: 'PROCONSUL_UNAVAILABLE' })
    await harness.fail()
    await harness.clock.advance(2_000)
    await failed
  })

  it('comes when there is no answer in time, is marked stale, and ends with the first answer', async () => {
    const harness = new Harness({ ...options, startWith: 'defaults' })
    await harness.fail()
    await harness.clock.advance(1_999)
    await harness.clock.advance(1)
    await harness.outcome
    expect(harness.settings.value).toEqual({ port: 80 })
    expect(harness.settings.origin('port')).toEqual({ layer: 'defaults' })
    expect(harness.settings.staleness?.error.code).toBe('PROCONSUL_UNAVAILABLE')
    const seen: string[] = []
    for (const name of ['recovered', 'change'] as const) harness.settings.on(name, () => seen.push(name))
    await harness.push({ 'a/port': '81' })
    expect(harness.settings.value).toEqual({ port: '81' })
    expect(seen).toEqual(['recovered', 'change'])
  })

  it('comes after what an earlier run has kept', async () => {
    const harness = new Harness({ ...options, startWith: 'defaults' }, { cached: cachedOf({ 'a/port': '82' }) })
    await harness.fail()
    await harness.outcome
    expect(harness.settings.value).toEqual({ port: '82' })
  })

  it('does not come for a token that is refused, nor for what is not acceptable', async () => {
    const refused = new Harness({ ...options, startWith: 'defaults' })
    await refused.fail('PROCONSUL_PERMISSION_DENIED')
    await expect(refused.outcome).rejects.toMatchObject({ code: 'PROCONSUL_PERMISSION_DENIED' })
    const invalid = new Harness({ ...options, startWith: 'defaults' })
    const failed = expect(invalid.outcome).rejects.toMatchObject({ code: 'PROCONSUL_CONFIG_INVALID' })
    await invalid.push({ 'a/x': '1', 'a/x/y': '1' })
    await failed
  })
})

describe('a start with nothing at all', () => {
  it('is one, where layers may be missing', async () => {
    const harness = new Harness({ defaults: { port: 80 } })
    expect((await harness.open({})).value).toEqual({ port: 80 })
  })

  it('is refused when the token may not read any layer', async () => {
    const harness = new Harness({ defaults: { port: 80 } })
    harness.isNoneReadable = true
    const refused = expect(harness.outcome).rejects.toThrow(/the token may not read the layers "a"/)
    await harness.push({})
    await refused
  })

  it('is refused when the agent says that it left something out', async () => {
    const harness = new Harness({ defaults: { port: 80 } })
    const refused = expect(harness.outcome).rejects.toMatchObject({ code: 'PROCONSUL_PERMISSION_DENIED' })
    await harness.push({}, { isFiltered: true })
    await refused
  })
})
