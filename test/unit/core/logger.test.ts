import { describe, expect, it, vi } from 'vitest'
import { defaultLogger, harmless } from '../../../src/core/logger.js'
import { recordingLogger } from '../../support/recording-logger.js'

it('hands everything on, and keeps what the logger of the application throws from the loops', () => {
  const recording = recordingLogger()
  harmless(recording).warn({ id: 'a' }, 'late')
  expect(recording.entries).toEqual([{ level: 'warn', fields: { id: 'a' }, message: 'late' }])
  const broken = {
    ...recording,
    error: () => {
      throw new Error('disk full')
    },
  }
  expect(() => harmless(broken).error({}, 'lost')).not.toThrow()
})

describe('by default', () => {
  it('nothing is written', () => {
    const write = vi.spyOn(process.stderr, 'write')
    for (const level of ['debug', 'info', 'warn'] as const) defaultLogger()[level]({}, 'hidden')
    expect(write).not.toHaveBeenCalled()
  })

  it('a fault of the application is a process warning with its stack', () => {
    const warn = vi.spyOn(process, 'emitWarning').mockReturnValue()
    defaultLogger().error({ err: new Error('typo') }, 'a listener of "change" failed')
    expect(warn).toHaveBeenCalledExactlyOnceWith('a listener of "change" failed', {
      type: 'ProconsulWarning',
      detail: expect.stringContaining('Error: typo') as string,
    })
  })
})
