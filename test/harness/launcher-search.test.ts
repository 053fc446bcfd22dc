import { mkdtemp, rm, symlink } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { beforeEach, describe, expect, it, vi } from 'vitest'
import { findConsul, type ConsulSource } from '../support/consul-binary.js'

describe('the search for a real Consul', () => {
  let known: ConsulSource

  beforeEach(async () => {
    known = await findConsul()
    vi.stubEnv('PROCONSUL_FOUND_CONSUL', undefined)
    vi.stubEnv('CONSUL_BINARY', undefined)
    vi.stubEnv('CONSUL_IMAGE', undefined)
    vi.resetModules()
  })

  const searchAgain = async (): Promise<ConsulSource> => {
    const module = await import('../support/consul-binary.js')
    return module.findConsul()
  }
  const binary = (): string =>
    known.kind === 'binary' ? known.path : expect.unreachable('Consul is only in an image here')

  it('takes the program that CONSUL_BINARY names', async () => {
    vi.stubEnv('CONSUL_BINARY', binary())
    expect(await searchAgain()).toEqual({
      kind: 'binary',
      path: binary(),
      version: known.version,
      origin: 'CONSUL_BINARY',
    })
  })

  it('fails rather than take another when CONSUL_BINARY names none', async () => {
    vi.stubEnv('CONSUL_BINARY', '/nowhere/consul')
    await expect(searchAgain()).rejects.toThrow('/nowhere/consul')
  })

  it(
    'fails rather than take another when the image that CONSUL_IMAGE names cannot be had',
    { timeout: 90_000 },
    async () => {
      vi.stubEnv('CONSUL_IMAGE', 'registry.invalid/consul:0')
      await expect(searchAgain()).rejects.toThrow()
    },
  )

  it('looks on the path before it looks into the cache', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'proconsul-path-'))
    try {
      await symlink(binary(), join(folder, 'consul'))
      vi.stubEnv('PATH', `${folder}:${process.env['PATH'] ?? ''}`)
      expect(await searchAgain()).toMatchObject({ path: join(folder, 'consul'), origin: 'on the path' })
    } finally {
      await rm(folder, { recursive: true, force: true })
    }
  })

  it('does not search when it was handed the answer', async () => {
    const handedDown: ConsulSource = { kind: 'container', image: 'any', version: '9.9.9', origin: 'a test' }
    vi.stubEnv('PROCONSUL_FOUND_CONSUL', JSON.stringify(handedDown))
    expect(await searchAgain()).toEqual(handedDown)
  })
})
