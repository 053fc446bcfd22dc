import { expect, it } from 'vitest'
import { debugLogger, harmless } from '../../../src/core/logger.js'
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

it('is silent by default', () => {
  expect(() => debugLogger().info({}, 'hidden')).not.toThrow()
})
