import { describe, expect, it } from 'vitest'
import { resolveHeartbeat } from '../../../../src/registration/definition/resolve-heartbeat.js'

const resolve = (definition: object) => resolveHeartbeat(definition)

describe('heartbeats', () => {
  it('come from the main thread and keep the process running, unless they are told otherwise', () => {
    expect(resolve({}).heartbeat).toMatchObject({ thread: 'main', keepAlive: true })
    expect(resolve({ heartbeat: { thread: 'worker', keepAlive: false } }).heartbeat).toMatchObject({
      thread: 'worker',
      keepAlive: false,
    })
  })

  it.each<[string, object]>([
    ['heartbeat', { heartbeat: 'worker' }],
    ['heartbeat', { heartbeat: null }],
    ['heartbeat.thread', { heartbeat: { thread: 'fiber' } }],
    ['heartbeat.keepAlive', { heartbeat: { keepAlive: 1 } }],
    ['heartbeat.interval', { heartbeat: { interval: '1s' } }],
    ['eventLoop', { eventLoop: 'yes' }],
    ['eventLoop.warn', { eventLoop: { warn: '1s' } }],
    ['eventLoop.warnAfter', { eventLoop: { warnAfter: '99ms' } }],
    ['eventLoop.criticalAfter', { eventLoop: { warnAfter: '2s', criticalAfter: '1s' } }],
  ])('have no nonsensical %s', (option, definition) => {
    expect(() => resolve(definition)).toThrow(
      expect.objectContaining({
        code: 'PROCONSUL_INVALID_OPTION',
        message: expect.stringMatching(new RegExp(`^${option} is `)) as string,
      }),
    )
  })
})

describe('the bounds of a blocked event loop', () => {
  it('are those of the thread alone where no probe is asked for', () => {
    for (const definition of [{}, { eventLoop: false }, { eventLoop: undefined }]) {
      expect(resolve(definition).eventLoop).toBeUndefined()
      expect(resolve(definition).heartbeat).toMatchObject({ warnAfterMs: 1_000, criticalAfterMs: 30_000 })
    }
  })

  it.each<[unknown, number, number]>([
    [true, 200, 30_000],
    [{}, 200, 30_000],
    [{ warnAfter: '100ms' }, 100, 30_000],
    [{ criticalAfter: '5s' }, 200, 5_000],
    [{ warnAfter: '1m' }, 60_000, 60_000],
    [{ warnAfter: '1s', criticalAfter: '1s' }, 1_000, 1_000],
  ])(
    'are for a probe, or for the thread, which tells of a block itself: %j',
    (eventLoop, warnAfterMs, criticalAfterMs) => {
      expect(resolve({ eventLoop }).eventLoop).toEqual({ warnAfterMs, criticalAfterMs })
      const threaded = resolve({ eventLoop, heartbeat: { thread: 'worker' } })
      expect(threaded.eventLoop).toBeUndefined()
      expect(threaded.heartbeat).toMatchObject({ warnAfterMs, criticalAfterMs })
    },
  )

  it.each(['warnAfter', 'criticalAfter'])('are not looked for in heartbeat.%s, and a message says where', (name) => {
    expect(() => resolve({ heartbeat: { thread: 'worker', [name]: '1s' } })).toThrow(
      `heartbeat.${name} is "1s"; expected it in \`eventLoop: { ${name} }\`, which counts for either thread`,
    )
  })
})
