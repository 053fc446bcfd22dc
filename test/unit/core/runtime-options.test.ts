import { describe, expect, it } from 'vitest'
import { createBalancer, watchInstances, type InstanceSource } from '../../../src/index.js'
import { resolveRuntime } from '../../../src/core/runtime-options.js'
import { recordingLogger } from '../../support/recording-logger.js'

const source: InstanceSource = { label: 'nothing', observe: () => ({ close: () => undefined }) }

const refused = (message: string): unknown => expect.objectContaining({ code: 'PROCONSUL_INVALID_OPTION', message })

describe('time, chance and a logger of the user', () => {
  it('are those of the system where none are given', () => {
    const { clock, random } = resolveRuntime({})
    expect(clock.now()).toBeGreaterThan(0)
    expect(random).toBe(Math.random)
  })

  it('are used where they are given', () => {
    const logger = recordingLogger()
    const runtime = resolveRuntime({ logger, random: () => 0.5 })
    runtime.logger.info({ id: 'a' }, 'told')
    expect(runtime.random()).toBe(0.5)
    expect(logger.entries).toEqual([{ level: 'info', fields: { id: 'a' }, message: 'told' }])
  })

  it.each<[string, object]>([
    ['clock.now is undefined; expected a function', { clock: {} }],
    ['clock.now is undefined; expected a function', { clock: null }],
    ['logger.debug is undefined; expected a function', { logger: {} }],
    ['logger.debug is undefined; expected a function', { logger: null }],
  ])('are refused by name wherever they are given: %s %#', (message, options) => {
    expect(() => resolveRuntime(options)).toThrow(refused(message))
    expect(() => watchInstances(source, options)).toThrow(refused(message))
    expect(() => createBalancer(source, options)).toThrow(refused(message))
  })

  it('refuse a source of chance that is none', () => {
    expect(() => resolveRuntime({ random: 1 as unknown as () => number })).toThrow(
      refused('random is 1; expected a function'),
    )
  })
})
