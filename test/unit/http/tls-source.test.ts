import { mkdir, mkdtemp, rename, rm, symlink, unlink, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { Secret } from '../../../src/core/secret.js'
import type { PemSource } from '../../../src/http/pem-source.js'
import { TlsSource, type TlsSetting } from '../../../src/http/tls-source.js'
import { CERT_A, CERT_B, KEY_A, KEY_B, LOCKED_KEY_A, PASSPHRASE_A } from './certificates.js'

const inline = (option: string, pem: string): PemSource => ({ type: 'inline', option, pem })
const PAIR = { cert: inline('tls.cert', CERT_A), key: inline('tls.key', KEY_A) }
const source = (setting: Partial<TlsSetting>): TlsSource => new TlsSource({ ca: [], verify: true, ...setting })
const texts = (pems: readonly (string | Buffer)[] | undefined): string[] => (pems ?? []).map(String)

let folder: string
beforeEach(async () => (folder = await mkdtemp(join(tmpdir(), 'proconsul-'))))
afterEach(() => rm(folder, { recursive: true }))

async function file(name: string, text: string): Promise<PemSource> {
  await writeFile(join(folder, name), text)
  return { type: 'file', option: `tls.${name}`, path: join(folder, name) }
}
const caPath = (): PemSource => ({ type: 'directory', option: 'tls.caPath', path: folder })

describe('what TLS connects with', () => {
  it('is nothing but the check of the agent by default', async () => {
    expect(await source({}).look()).toEqual({ rejectUnauthorized: true })
  })

  it('is all that was set', async () => {
    const setting = {
      ...PAIR,
      ca: [inline('tls.ca', CERT_A), inline('tls.ca', CERT_B)],
      serverName: 'server.dc1.consul',
      verify: false,
      passphrase: new Secret('unneeded'),
    }
    expect(await source(setting).look()).toEqual({
      rejectUnauthorized: false,
      ca: [CERT_A, CERT_B],
      cert: CERT_A,
      key: KEY_A,
      passphrase: 'unneeded',
      servername: 'server.dc1.consul',
    })
  })

  it('may be a key that a passphrase opens', async () => {
    const key = inline('tls.key', LOCKED_KEY_A)
    expect(await source({ ...PAIR, key, passphrase: new Secret(PASSPHRASE_A) }).look()).toMatchObject({
      key: LOCKED_KEY_A,
      passphrase: PASSPHRASE_A,
    })
  })
})

describe('what cannot be used is a TLS error by the name of its option', () => {
  const BROKEN = CERT_A.replace(/\n.{20}/, '\n')
  it.each<[string, Partial<TlsSetting>, string | RegExp]>([
    [
      'the key of another certificate',
      { ...PAIR, key: inline('tls.key', KEY_B) },
      'tls.key holds the key of another certificate than tls.cert',
    ],
    [
      'a key that is locked',
      { ...PAIR, key: inline('CONSUL_CLIENT_KEY', LOCKED_KEY_A) },
      'CONSUL_CLIENT_KEY is encrypted, and `tls.passphrase` is missing',
    ],
    [
      'a wrong passphrase',
      { ...PAIR, key: inline('tls.key', LOCKED_KEY_A), passphrase: new Secret('hunter2') },
      'tls.key is not opened by `tls.passphrase`',
    ],
    [
      'a key that is no PEM',
      { ...PAIR, key: inline('tls.key', 'rubbish') },
      /^tls\.key holds no private key in PEM \(ERR_OSSL_\w+\)$/,
    ],
    ['a certificate for a key', { ...PAIR, key: inline('tls.key', CERT_A) }, /^tls\.key holds no private key in PEM/],
    [
      'a certificate that is no PEM',
      { ...PAIR, cert: inline('tls.cert', 'rubbish') },
      'tls.cert holds no certificate in PEM',
    ],
    ['a key for a certificate', { ...PAIR, cert: inline('tls.cert', KEY_A) }, 'tls.cert holds no certificate in PEM'],
    [
      'a certificate that was cut',
      { ...PAIR, cert: inline('tls.cert', BROKEN) },
      /^tls\.cert holds a certificate, number 1, that cannot be read \(ERR_\w+\)$/,
    ],
    ['an authority that is no PEM', { ca: [inline('tls.ca', 'rubbish')] }, 'tls.ca holds no certificate in PEM'],
    [
      'an authority in a bundle that was cut',
      { ca: [inline('tls.ca', CERT_A + BROKEN)] },
      /^tls\.ca holds a certificate, number 2, that cannot be read/,
    ],
  ])('%s', async (_what, setting, said) => {
    const error: unknown = await source(setting)
      .look()
      .catch((thrown: unknown) => thrown)
    expect(error).toMatchObject({ code: 'PROCONSUL_TLS', retryable: false })
    expect(String(error)).toMatch(
      said instanceof RegExp ? new RegExp(said.source.replace('^', '^ProconsulError: ')) : said,
    )
    expect(JSON.stringify(error)).not.toContain('hunter2')
  })

  it('with the path of its file', async () => {
    const cert = await file('certFile', CERT_A)
    const key = await file('keyFile', KEY_B)
    await expect(source({ cert, key }).look()).rejects.toMatchObject({
      code: 'PROCONSUL_TLS',
      message: `tls.keyFile is ${JSON.stringify(join(folder, 'keyFile'))}, which holds the key of another certificate than tls.certFile`,
    })
  })

  it.each([
    ['file', 'tls.caFile'],
    ['directory', 'tls.caPath'],
  ] as const)('but a %s that is not there is a wrong option', async (type, option) => {
    const ca: PemSource[] = [{ type, option, path: join(folder, 'no') }]
    await expect(source({ ca }).look()).rejects.toMatchObject({
      code: 'PROCONSUL_INVALID_OPTION',
      message: `${option} is ${JSON.stringify(join(folder, 'no'))}, which cannot be read; expected a readable ${type}`,
    })
  })
})

describe('a directory of authorities', () => {
  it('holds those of its files that have certificates, in the order of their names', async () => {
    await Promise.all([file('b.pem', CERT_B), file('a.pem', CERT_A), file('README', 'rubbish'), file('key.pem', KEY_A)])
    await mkdir(join(folder, 'folder'))
    expect(texts((await source({ ca: [caPath()] }).look())?.ca)).toEqual([CERT_A, CERT_B])
  })

  it('is read as Kubernetes mounts it: links to files of a hidden folder, and `..data` that links to the folder', async () => {
    await mkdir(join(folder, '..2026_11_28'))
    await writeFile(join(folder, '..2026_11_28', 'ca.crt'), CERT_A)
    await symlink('..2026_11_28', join(folder, '..data'))
    await symlink(join('..data', 'ca.crt'), join(folder, 'ca.crt'))
    const mounted = source({ ca: [caPath()] })
    expect(texts((await mounted.look())?.ca)).toEqual([CERT_A])
    expect(await mounted.look()).toBeUndefined()

    await mkdir(join(folder, '..2026_11_29'))
    await writeFile(join(folder, '..2026_11_29', 'ca.crt'), CERT_B)
    await symlink('..2026_11_29', join(folder, '..data_tmp'))
    await rename(join(folder, '..data_tmp'), join(folder, '..data'))
    expect(texts((await mounted.look())?.ca)).toEqual([CERT_B])
  })

  it('without any certificate is refused by name', async () => {
    await file('README', 'rubbish')
    await expect(source({ ca: [caPath()] }).look()).rejects.toMatchObject({
      code: 'PROCONSUL_TLS',
      message: `tls.caPath is ${JSON.stringify(folder)}, which holds no certificate in PEM`,
    })
  })

  it('is looked at again when a file comes or goes', async () => {
    await file('a.pem', CERT_A)
    const watched = source({ ca: [caPath()] })
    await watched.look()
    await file('b.pem', CERT_B)
    expect(texts((await watched.look())?.ca)).toEqual([CERT_A, CERT_B])
    await unlink(join(folder, 'a.pem'))
    expect(texts((await watched.look())?.ca)).toEqual([CERT_B])
  })
})

describe('a certificate in a file', () => {
  it('is read again when it and its key were renewed, and not otherwise', async () => {
    const [cert, key] = [await file('certFile', CERT_A), await file('keyFile', KEY_A)]
    const watched = source({ cert, key, ca: [inline('tls.ca', CERT_A)] })
    expect(String((await watched.look())?.cert)).toBe(CERT_A)
    expect(await watched.look()).toBeUndefined()
    await file('certFile', CERT_B)
    await file('keyFile', KEY_B)
    const renewed = await watched.look()
    expect([String(renewed?.cert), String(renewed?.key)]).toEqual([CERT_B, KEY_B])
    expect(await watched.look()).toBeUndefined()
  })

  it('is refused between its renewal and that of its key, and taken after it', async () => {
    const [cert, key] = [await file('certFile', CERT_A), await file('keyFile', KEY_A)]
    const watched = source({ cert, key })
    await watched.look()
    await file('certFile', CERT_B)
    await expect(watched.look()).rejects.toMatchObject({ code: 'PROCONSUL_TLS' })
    await expect(watched.look()).rejects.toMatchObject({ code: 'PROCONSUL_TLS' })
    await file('keyFile', KEY_B)
    expect(String((await watched.look())?.cert)).toBe(CERT_B)
  })
})
