import { mkdtemp, rename, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { Secret } from '../../../src/core/secret.js'
import { TokenSource } from '../../../src/http/token-source.js'
import { FakeClock } from '../../support/fake-clock.js'

describe('a token', () => {
  it('given as a value is that value, and none is none', async () => {
    const clock = new FakeClock()
    const source = new TokenSource({ type: 'value', secret: new Secret('t1') }, clock)
    expect((await source.get())?.reveal()).toBe('t1')
    expect(await new TokenSource({ type: 'none' }, clock).get()).toBeUndefined()
  })

  it('from a function is asked for at most once a second, and a new one is told', async () => {
    const clock = new FakeClock()
    const read = vi.fn().mockResolvedValueOnce('t1').mockResolvedValueOnce('t1').mockResolvedValue('t2')
    const source = new TokenSource({ type: 'function', read }, clock)
    const changed = vi.fn()
    source.onChange(changed)
    expect((await Promise.all([source.get(), source.get()])).map((token) => token?.reveal())).toEqual(['t1', 't1'])
    await source.get()
    expect(read).toHaveBeenCalledOnce()
    await clock.advance(1_000)
    await source.get()
    expect(changed).not.toHaveBeenCalled()
    await clock.advance(1_000)
    expect((await source.get())?.reveal()).toBe('t2')
    expect(changed).toHaveBeenCalledOnce()
  })

  it('stays what it was while its function fails, and a first failure says nothing secret', async () => {
    const clock = new FakeClock()
    const read = vi.fn().mockResolvedValueOnce('t1').mockRejectedValue(new Error('vault says hunter2'))
    const source = new TokenSource({ type: 'function', read }, clock)
    await source.get()
    await clock.advance(1_000)
    expect((await source.get())?.reveal()).toBe('t1')

    const failing = new TokenSource({ type: 'function', read }, clock)
    await expect(failing.get()).rejects.toMatchObject({
      code: 'PROCONSUL_UNAVAILABLE',
      message: expect.not.stringContaining('hunter2') as string,
    })
    const wrong = new TokenSource({ type: 'function', read: () => Promise.resolve(5 as unknown as string) }, clock)
    await expect(wrong.get()).rejects.toMatchObject({ code: 'PROCONSUL_INVALID_OPTION' })
  })
})

describe('a token file', () => {
  let folder: string
  beforeEach(async () => (folder = await mkdtemp(join(tmpdir(), 'proconsul-'))))
  afterEach(() => rm(folder, { recursive: true }))

  it('is read again when it was replaced, trimmed, and kept while it is away', async () => {
    const path = join(folder, 'token')
    const clock = new FakeClock()
    await writeFile(path, 't1\n')
    const source = new TokenSource({ type: 'file', option: 'tokenFile', path }, clock)
    const changed = vi.fn()
    const forget = source.onChange(changed)
    expect((await source.get())?.reveal()).toBe('t1')

    await writeFile(`${path}.new`, ' t2-longer ')
    await rename(`${path}.new`, path)
    await clock.advance(1_000)
    expect((await source.get())?.reveal()).toBe('t2-longer')
    expect(changed).toHaveBeenCalledOnce()
    forget()

    await rm(path)
    await clock.advance(1_000)
    expect((await source.get())?.reveal()).toBe('t2-longer')
    expect(changed).toHaveBeenCalledOnce()
  })

  it('that is not there fails the first request, naming the option', async () => {
    const source = new TokenSource(
      { type: 'file', option: 'CONSUL_HTTP_TOKEN_FILE', path: join(folder, 'no') },
      new FakeClock(),
    )
    await expect(source.get()).rejects.toMatchObject({
      code: 'PROCONSUL_INVALID_OPTION',
      message: expect.stringMatching(/^CONSUL_HTTP_TOKEN_FILE is ".*no", which cannot be read/) as string,
    })
  })
})
