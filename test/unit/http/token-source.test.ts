import { AsyncLocalStorage } from 'node:async_hooks'
import { mkdtemp, rename, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { Secret } from '../../../src/core/secret.js'
import { TokenSource, tokenIn, type TokenFunction, type TokenSetting } from '../../../src/http/token-source.js'
import { FakeClock, settle } from '../../support/fake-clock.js'
import { recordingLogger } from '../../support/recording-logger.js'

function open(setting: TokenSetting) {
  const clock = new FakeClock()
  const logger = recordingLogger()
  const closing = new AbortController()
  const source = new TokenSource(setting, { clock, logger }, closing.signal)
  const changed = vi.fn()
  const forget = source.onChange(changed)
  const { signal } = new AbortController()
  return {
    clock,
    source,
    changed,
    forget,
    /** What happened to credentials, as the log has it. */
    told: () => logger.entries.map(({ level, fields }) => `${level} ${String(fields['event'])}`),
    logger,
    close: () => closing.abort(),
    get: async () => (await source.get(signal))?.reveal(),
    /** Past the time for which nobody looks again. */
    later: () => clock.advance(1_000),
  }
}

const asking = (read: () => unknown) => open({ type: 'function', read: read as TokenFunction })
const yielding = (...tokens: unknown[]) => {
  const read = vi.fn()
  for (const token of tokens) read.mockResolvedValueOnce(token)
  return asking(read.mockResolvedValue(tokens.at(-1)))
}
const hanging = (): Promise<never> => new Promise(() => undefined)

describe('a token', () => {
  it('given as a value is that value, and none is none; neither ever changes', async () => {
    const given = open({ type: 'value', secret: new Secret('t1') })
    expect(await given.get()).toBe('t1')
    expect(given.source.current?.reveal()).toBe('t1')
    given.forget()
    const none = open({ type: 'none' })
    expect(await none.get()).toBeUndefined()
    expect(none.source.current).toBeUndefined()
    none.forget()
  })

  it.each([
    ['t1', 't1'],
    [' t1\n', 't1'],
    ['\ufefft1\r\n', 't1'],
    ['t1\nt2', undefined],
    ['t 1', undefined],
    ['t1\u00e9', undefined],
    ['\u0000', undefined],
    ['', undefined],
    [' \n', undefined],
  ])('in %j is %j', (text, token) => {
    expect(tokenIn(text)).toBe(token)
  })
})

describe('a token of a function', () => {
  it('is asked for at most once a second, by all callers together, and a new one is told', async () => {
    const read = vi.fn().mockResolvedValueOnce('t1').mockResolvedValueOnce('t1').mockResolvedValue('t2')
    const { source, get, later, changed, told, forget, clock } = asking(read)
    expect(source.current).toBeUndefined()
    expect(await Promise.all([get(), get()])).toEqual(['t1', 't1'])
    await clock.advance(999)
    await get()
    expect(read).toHaveBeenCalledOnce()
    await clock.advance(1)
    await get()
    expect(read).toHaveBeenCalledTimes(2)
    expect(changed).not.toHaveBeenCalled()
    await later()
    expect(await get()).toBe('t2')
    expect(source.current?.reveal()).toBe('t2')
    expect(changed).toHaveBeenCalledOnce()
    expect(told()).toEqual(['info credentials-changed'])
    forget()
    expect(clock.pendingTimers).toBe(0)
  })

  it('is trimmed', async () => {
    expect(await yielding(' t1\n').get()).toBe('t1')
  })

  it.each([
    ['an empty text', ''],
    ['spaces', ' \n'],
    ['undefined', undefined],
    ['null', null],
    ['a number', 5],
    ['an object', { token: 'hunter2' }],
    ['a token with a line break in it', 't1\nhunter2'],
    ['a token with a character that no header carries', 't\u00e91'],
  ])('stays the last known one when it yields %s, which is said once', async (_what, yielded) => {
    const { get, later, changed, told, logger } = yielding('t1', yielded, yielded, 't1', yielded, 't2')
    expect(await get()).toBe('t1')
    for (let round = 0; round < 2; round += 1) {
      await later()
      expect(await get()).toBe('t1')
    }
    expect(told()).toEqual(['warn credentials-unusable'])
    await later()
    expect(await get()).toBe('t1')
    await later()
    expect(await get()).toBe('t1')
    expect(told()).toEqual(['warn credentials-unusable', 'warn credentials-unusable'])
    expect(changed).not.toHaveBeenCalled()
    await later()
    expect(await get()).toBe('t2')
    expect(changed).toHaveBeenCalledOnce()
    expect(JSON.stringify(logger.entries)).not.toContain('hunter2')
  })

  it.each([
    ['an empty text', '', 'PROCONSUL_UNAVAILABLE', 'token: the function that yields the token yielded an empty one'],
    ['undefined', undefined, 'PROCONSUL_UNAVAILABLE', 'token: the function that yields the token yielded none'],
    ['null', null, 'PROCONSUL_UNAVAILABLE', 'token: the function that yields the token yielded none'],
    [
      'a number',
      5,
      'PROCONSUL_INVALID_OPTION',
      'token is not acceptable (its value is not shown); expected a function that yields a string',
    ],
    [
      'a line break',
      'a\nhunter2',
      'PROCONSUL_INVALID_OPTION',
      'token is not acceptable (its value is not shown); expected a function that yields a token of visible ASCII characters',
    ],
  ])(
    'that yields %s at first fails the request, and is asked again by the next',
    async (_what, yielded, code, said) => {
      const { get } = yielding(yielded, 't1')
      await expect(get()).rejects.toMatchObject({ code, message: said })
      expect(await get()).toBe('t1')
    },
  )

  it('that fails at first says nothing of what it threw, and later leaves the last known one', async () => {
    const read = vi.fn().mockRejectedValueOnce(new Error('hunter2')).mockResolvedValueOnce('t1')
    read.mockImplementation(() => {
      throw new Error('hunter2')
    })
    const { get, later, told, logger } = asking(read)
    await expect(get()).rejects.toMatchObject({
      code: 'PROCONSUL_UNAVAILABLE',
      message: 'token: the function that yields the token failed',
    })
    expect(await get()).toBe('t1')
    await later()
    expect(await get()).toBe('t1')
    expect(told()).toEqual(['warn credentials-unusable'])
    expect(logger.entries[0]?.fields).toMatchObject({ credential: 'token', err: { code: 'PROCONSUL_UNAVAILABLE' } })
    expect(JSON.stringify(logger.entries)).not.toContain('hunter2')
  })

  it('that hangs once holds up only the calls that have no token, for five seconds, and is asked anew', async () => {
    const signals: AbortSignal[] = []
    const read = vi.fn(({ signal }: { signal: AbortSignal }) => {
      signals.push(signal)
      return signals.length === 1 ? hanging() : Promise.resolve('t1')
    })
    const { get, clock } = open({ type: 'function', read })
    const first = expect(get()).rejects.toMatchObject({
      code: 'PROCONSUL_UNAVAILABLE',
      retryable: true,
      message: 'token: nothing came within 5s',
    })
    await clock.advance(4_999)
    expect(signals[0]?.aborted).toBe(false)
    await clock.advance(1)
    await first
    expect(signals[0]?.aborted).toBe(true)
    expect(await get()).toBe('t1')
    expect(clock.pendingTimers).toBe(0)
  })

  it('that hangs while a token is known holds a call up for a quarter of a second, the next not at all, and is asked anew', async () => {
    const read = vi.fn().mockResolvedValueOnce('t1').mockImplementationOnce(hanging).mockResolvedValue('t2')
    const { get, later, clock, changed, told } = asking(read)
    await get()
    await later()
    const settled = vi.fn()
    const held = get().then(settled)
    await clock.advance(249)
    expect(settled).not.toHaveBeenCalled()
    await clock.advance(1)
    await held
    expect(settled).toHaveBeenCalledWith('t1')
    const next = vi.fn()
    void get().then(next)
    await settle()
    expect(next).toHaveBeenCalledWith('t1')
    expect(read).toHaveBeenCalledTimes(2)
    await clock.advance(4_750)
    expect(told()).toEqual(['warn credentials-unusable'])
    await later()
    expect(await get()).toBe('t2')
    expect(changed).toHaveBeenCalledOnce()
    expect(clock.pendingTimers).toBe(0)
  })

  it('that takes its time is used by the first call after it came', async () => {
    let yieldIt: (token: string) => void = () => undefined
    const slow = new Promise<string>((resolve) => {
      yieldIt = resolve
    })
    const read = vi.fn().mockResolvedValueOnce('t1').mockReturnValueOnce(slow)
    const { get, later, clock } = asking(read)
    await get()
    await later()
    const held = get()
    await clock.advance(3_000)
    expect(await held).toBe('t1')
    yieldIt('t2')
    await settle()
    expect(await get()).toBe('t2')
  })

  it('is not waited for by a call that is given up, and by none after the client was closed', async () => {
    const { source, clock, close, told } = asking(hanging)
    const giveUp = new AbortController()
    const waiting = source.get(giveUp.signal)
    giveUp.abort()
    await expect(waiting).rejects.toMatchObject({ code: 'PROCONSUL_ABORTED' })
    const other = source.get(new AbortController().signal)
    close()
    await expect(other).rejects.toMatchObject({ code: 'PROCONSUL_ABORTED' })
    expect(clock.pendingTimers).toBe(0)
    expect(told()).toEqual([])
  })

  it('runs in the async context of whoever made the client, not of the request that happened to need it', async () => {
    const place = new AsyncLocalStorage<string>()
    const seen: (string | undefined)[] = []
    const read = (): Promise<string> => {
      seen.push(place.getStore())
      return Promise.resolve('t1')
    }
    const { get } = place.run('the start', () => asking(read))
    await place.run('a request', get)
    expect(seen).toEqual(['the start'])
  })
})

describe('a token file', () => {
  let path: string
  let folder: string
  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'proconsul-'))
    path = join(folder, 'token')
  })
  afterEach(() => rm(folder, { recursive: true }))
  const following = () => open({ type: 'file', option: 'tokenFile', path })

  it('is read again when it was replaced, trimmed, and kept while it is away', async () => {
    await writeFile(path, 't1\n')
    const { get, later, changed, forget, told } = following()
    expect(await get()).toBe('t1')

    await writeFile(`${path}.new`, ' t2-longer ')
    await rename(`${path}.new`, path)
    await later()
    expect(await get()).toBe('t2-longer')
    expect(changed).toHaveBeenCalledOnce()
    forget()

    await rm(path)
    await later()
    expect(await get()).toBe('t2-longer')
    expect(changed).toHaveBeenCalledOnce()
    expect(told()).toEqual(['info credentials-changed', 'warn credentials-unusable'])
  })

  it.each([
    ['empty', ''],
    ['nothing but a line end', '\n'],
    ['two lines', 't1\nt2\n'],
  ])('that is %s for a moment leaves the last known token, and is read again when it is whole', async (_what, text) => {
    await writeFile(path, 't1')
    const { get, later, changed, told } = following()
    expect(await get()).toBe('t1')
    await writeFile(path, text)
    await later()
    expect(await get()).toBe('t1')
    expect(changed).not.toHaveBeenCalled()
    expect(told()).toEqual(['warn credentials-unusable'])
    await writeFile(path, 't2')
    await later()
    expect(await get()).toBe('t2')
    expect(changed).toHaveBeenCalledOnce()
  })

  it('that is empty at first fails the request, which may be repeated', async () => {
    await writeFile(path, '')
    const { get } = following()
    await expect(get()).rejects.toMatchObject({
      code: 'PROCONSUL_UNAVAILABLE',
      message: `tokenFile is ${JSON.stringify(path)}, which is empty`,
    })
    await writeFile(path, 't1')
    expect(await get()).toBe('t1')
  })

  it('that is written anew with the same token is no change', async () => {
    await writeFile(path, 't1')
    const { get, later, changed, told } = following()
    await get()
    await writeFile(path, ' t1\n')
    await later()
    expect(await get()).toBe('t1')
    expect(changed).not.toHaveBeenCalled()
    expect(told()).toEqual([])
  })

  it('that is not there fails the first request, naming the option', async () => {
    await expect(
      open({ type: 'file', option: 'CONSUL_HTTP_TOKEN_FILE', path: join(folder, 'no') }).get(),
    ).rejects.toMatchObject({
      code: 'PROCONSUL_INVALID_OPTION',
      message: expect.stringMatching(/^CONSUL_HTTP_TOKEN_FILE is ".*no", which cannot be read/) as string,
    })
  })
})
