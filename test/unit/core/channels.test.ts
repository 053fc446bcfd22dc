import { subscribe, unsubscribe } from 'node:diagnostics_channel'
import { describe, expect, it } from 'vitest'
import { tell } from '../../../src/core/channels.js'
import { recordingLogger } from '../../support/recording-logger.js'

describe('a turn of events', () => {
  it('is one log line at its own level, with its name among the fields', () => {
    const logger = recordingLogger()
    const err = new Error('no answer')
    tell(logger, 'lost', { id: 'web-1', err }, 'web-1 was lost')
    expect(logger.entries).toEqual([
      { level: 'warn', fields: { event: 'lost', id: 'web-1', err }, message: 'web-1 was lost' },
    ])
  })

  it('is one message on its channel, for those who listen', () => {
    const heard: unknown[] = []
    const listener = (message: unknown): void => void heard.push(message)
    subscribe('proconsul:restored', listener)
    tell(recordingLogger(), 'restored', { id: 'web-1' }, 'web-1 is back')
    unsubscribe('proconsul:restored', listener)
    tell(recordingLogger(), 'restored', { id: 'web-1' }, 'web-1 is back')
    expect(heard).toEqual([{ event: 'restored', id: 'web-1', message: 'web-1 is back' }])
  })
})
