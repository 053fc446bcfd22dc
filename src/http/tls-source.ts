import { createPrivateKey, X509Certificate, type KeyObject } from 'node:crypto'
import { createSecureContext } from 'node:tls'
import type { Secret } from '../core/secret.js'
import { ProconsulError } from '../errors/proconsul-error.js'
import type { CredentialOrigin } from './credential.js'
import { pemVersion, readPem, type PemSource, type PemText } from './pem-source.js'

/** TLS as resolved from options and environment. */
export interface TlsSetting {
  readonly ca: readonly PemSource[]
  readonly cert?: PemSource | undefined
  readonly key?: PemSource | undefined
  readonly passphrase?: Secret | undefined
  /** Name for SNI and for the check of the certificate. */
  readonly serverName?: string | undefined
  readonly verify: boolean
}

/** The options of `node:https`. They can be copied to a thread; they hold secrets and are never printed. */
export interface TlsConnectOptions {
  readonly rejectUnauthorized: boolean
  readonly ca?: (string | Buffer)[]
  readonly cert?: string | Buffer
  readonly key?: string | Buffer
  readonly passphrase?: string
  readonly servername?: string
}

/**
 * The certificates and the key of a client, read again when one of their files changes. What OpenSSL would find only in the middle of a
 * handshake, where it looks like a lost connection, is found here, by the name of the option.
 */
export class TlsSource implements CredentialOrigin<TlsConnectOptions> {
  readonly label = 'tls'
  readonly #setting: TlsSetting
  #version: string | undefined

  constructor(setting: TlsSetting) {
    this.#setting = setting
  }

  /** @throws ProconsulError `PROCONSUL_TLS` or, for a file that cannot be read, `PROCONSUL_INVALID_OPTION`, naming the option */
  async look(): Promise<TlsConnectOptions | undefined> {
    const { ca, cert, key } = this.#setting
    const sources = [...ca, cert, key].filter((source) => source !== undefined)
    const version = (await Promise.all(sources.map(pemVersion))).join('\n')
    if (version === this.#version) return undefined
    const options = await readTls(this.#setting)
    this.#version = version
    return options
  }
}

async function readTls(setting: TlsSetting): Promise<TlsConnectOptions> {
  const authorities = (await Promise.all(setting.ca.map(readAuthorities))).flat()
  return {
    rejectUnauthorized: setting.verify,
    ...(authorities.length > 0 && { ca: authorities.map(({ pem }) => pem) }),
    ...(await readPair(setting)),
    ...(setting.serverName !== undefined && { servername: setting.serverName }),
  }
}

/** The certificates of one source. A directory may hold other files as well; OpenSSL would take each of them without a word. */
async function readAuthorities(source: PemSource): Promise<readonly PemText[]> {
  const read = await readPem(source)
  const usable = read.filter((text) => certificatesIn(text).length > 0)
  if (usable.length > 0) return usable
  const shown =
    source.type === 'directory' ? `${source.option} is ${JSON.stringify(source.path)}, which` : read[0]?.shown
  throw new ProconsulError('PROCONSUL_TLS', `${shown ?? source.option} holds no certificate in PEM`)
}

async function readPair({
  cert: certSource,
  key: keySource,
  passphrase,
}: TlsSetting): Promise<Pick<TlsConnectOptions, 'cert' | 'key' | 'passphrase'>> {
  if (certSource === undefined || keySource === undefined) return {}
  const [[cert], [key]] = await Promise.all([readPem(certSource), readPem(keySource)])
  if (cert === undefined || key === undefined) return {}
  const [own] = certificatesIn(cert)
  if (own === undefined) throw new ProconsulError('PROCONSUL_TLS', `${cert.shown} holds no certificate in PEM`)
  if (!own.checkPrivateKey(openKey(key, passphrase))) {
    throw new ProconsulError(
      'PROCONSUL_TLS',
      `${key.shown} holds the key of another certificate than ${certSource.option}`,
    )
  }
  const pair = { cert: cert.pem, key: key.pem, ...(passphrase !== undefined && { passphrase: passphrase.reveal() }) }
  try {
    createSecureContext(pair)
  } catch (error) {
    // Such as a key that is too short for this OpenSSL.
    throw new ProconsulError('PROCONSUL_TLS', `${cert.shown} cannot be used (${codeOf(error)})`)
  }
  return pair
}

const CERTIFICATE = /-----BEGIN (?:X509 |TRUSTED )?CERTIFICATE-----[^-]*-----END (?:X509 |TRUSTED )?CERTIFICATE-----/g

function certificatesIn({ pem, shown }: PemText): readonly X509Certificate[] {
  const blocks = pem.toString('latin1').match(CERTIFICATE) ?? []
  return blocks.map((block, place) => {
    try {
      return new X509Certificate(block)
    } catch (error) {
      const message = `${shown} holds a certificate, number ${place + 1}, that cannot be read (${codeOf(error)})`
      throw new ProconsulError('PROCONSUL_TLS', message)
    }
  })
}

function openKey({ pem, shown }: PemText, passphrase: Secret | undefined): KeyObject {
  try {
    return createPrivateKey({ key: pem, ...(passphrase !== undefined && { passphrase: passphrase.reveal() }) })
  } catch (error) {
    // What OpenSSL says of a key is kept to its code: the message may quote what was read.
    const isLocked = /^-----BEGIN ENCRYPTED|^Proc-Type: 4,ENCRYPTED/m.test(pem.toString('latin1'))
    if (!isLocked) throw new ProconsulError('PROCONSUL_TLS', `${shown} holds no private key in PEM (${codeOf(error)})`)
    const why =
      passphrase === undefined ? 'is encrypted, and `tls.passphrase` is missing' : 'is not opened by `tls.passphrase`'
    throw new ProconsulError('PROCONSUL_TLS', `${shown} ${why}`)
  }
}

function codeOf(error: unknown): string {
  return error instanceof Error && 'code' in error && typeof error.code === 'string' ? error.code : 'unknown cause'
}
