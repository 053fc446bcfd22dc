import { checkBoolean, checkObject, checkString } from '../core/option-check.js'
import { Secret } from '../core/secret.js'
import type { ConsulEnvironment } from './environment.js'
import { invalidOption, SECRET_VALUE } from '../errors/invalid-option.js'
import type { PemSource } from '../http/pem-source.js'
import type { TlsSetting } from '../http/tls-source.js'

/** PEM text or bytes. */
export type Pem = string | Buffer

/**
 * TLS to the agent. Names as in Node's `tls.connect`, and a file for each. Files are read at the first request and again when they change:
 * new connections show a renewed certificate, and a file that cannot be used leaves the last good ones. What cannot be used at first is
 * `PROCONSUL_TLS`, naming the option.
 */
export interface TlsOptions {
  /** Certificates of the authorities to trust, instead of the system's. For certificates that an authority of your own signed. */
  readonly ca?: Pem | readonly Pem[] | undefined
  /** File of such certificates. Then CONSUL_CACERT. */
  readonly caFile?: string | undefined
  /**
   * Directory of such files, such as a mounted ConfigMap or Secret. Links are followed; folders, hidden files and files without a
   * certificate are left out. Then CONSUL_CAPATH.
   */
  readonly caPath?: string | undefined
  /** This client's certificate, for an agent that asks for one (`verify_incoming`); needs the key. */
  readonly cert?: Pem | undefined
  /** File of it. Then CONSUL_CLIENT_CERT. */
  readonly certFile?: string | undefined
  /** The key of the certificate. */
  readonly key?: Pem | undefined
  /** File of it. Then CONSUL_CLIENT_KEY. */
  readonly keyFile?: string | undefined
  /** Opens an encrypted key. */
  readonly passphrase?: string | undefined
  /**
   * Name for SNI and for the check of the agent's certificate, such as `server.dc1.consul`, where the certificate does not name the host of
   * the address. Then CONSUL_TLS_SERVER_NAME.
   */
  readonly servername?: string | undefined
  /** Whether the agent's certificate must be valid. False is for trying things out. Then CONSUL_HTTP_SSL_VERIFY. Default true. */
  readonly rejectUnauthorized?: boolean | undefined
}

const KNOWN_OPTIONS: readonly (keyof TlsOptions)[] = [
  'ca',
  'caFile',
  'caPath',
  'cert',
  'certFile',
  'key',
  'keyFile',
  'passphrase',
  'servername',
  'rejectUnauthorized',
]

/**
 * Decides every value of TLS.
 * @throws ProconsulError `PROCONSUL_INVALID_OPTION`, naming the option.
 */
export function resolveTls(
  options: TlsOptions | undefined,
  environment: ConsulEnvironment,
  isHttps: boolean,
): TlsSetting {
  const tls = options ?? {}
  checkObject('tls', tls, KNOWN_OPTIONS)
  if (options !== undefined && !isHttps) {
    throw invalidOption('tls', options, "an address that begins with 'https://' when it is set")
  }
  const explicitCa = caSources(tls)
  const { cert, key } = ownPair(tls) ?? environmentPair(environment)
  const serverName =
    tls.servername === undefined
      ? environment.serverName?.replace(/:\d+$/, '')
      : checkString('tls.servername', tls.servername)
  const verify =
    tls.rejectUnauthorized === undefined
      ? environment.sslVerify
      : checkBoolean('tls.rejectUnauthorized', tls.rejectUnauthorized)
  return {
    ca: explicitCa.length > 0 ? explicitCa : environmentCa(environment),
    cert,
    key,
    passphrase: tls.passphrase === undefined ? undefined : checkPassphrase(tls.passphrase),
    serverName,
    verify: verify ?? true,
  }
}

type Pair = Pick<TlsSetting, 'cert' | 'key'>

/** The certificate and the key of the options; undefined when there is neither. */
function ownPair(tls: TlsOptions): Pair | undefined {
  const [cert, key] = [pem('tls.cert', tls.cert, tls.certFile), pem('tls.key', tls.key, tls.keyFile)]
  if (cert === undefined && key === undefined) return undefined
  if (cert === undefined || key === undefined) {
    throw invalidOption('tls.cert', cert && SECRET_VALUE, 'both a certificate and its key, or neither')
  }
  return { cert, key }
}

function environmentPair({ certFile, keyFile }: ConsulEnvironment): Pair {
  const both = 'both or neither must be set'
  if (certFile !== undefined && keyFile === undefined) {
    throw invalidOption('CONSUL_CLIENT_KEY', undefined, `the key of CONSUL_CLIENT_CERT; ${both}`)
  }
  if (keyFile !== undefined && certFile === undefined) {
    throw invalidOption('CONSUL_CLIENT_CERT', undefined, `the certificate of CONSUL_CLIENT_KEY; ${both}`)
  }
  return { cert: file('CONSUL_CLIENT_CERT', certFile), key: file('CONSUL_CLIENT_KEY', keyFile) }
}

function checkPassphrase(passphrase: unknown): Secret {
  if (typeof passphrase !== 'string') throw invalidOption('tls.passphrase', SECRET_VALUE, 'a string')
  return new Secret(passphrase)
}

function caSources(tls: TlsOptions): readonly PemSource[] {
  const inline = tls.ca === undefined ? [] : isList(tls.ca) ? tls.ca : [tls.ca]
  return [
    ...inline.map((value) => pem('tls.ca', value, undefined)),
    file('tls.caFile', tls.caFile),
    directory('tls.caPath', tls.caPath),
  ].filter((source) => source !== undefined)
}

function environmentCa(environment: ConsulEnvironment): readonly PemSource[] {
  return [file('CONSUL_CACERT', environment.caFile), directory('CONSUL_CAPATH', environment.caPath)].filter(
    (source) => source !== undefined,
  )
}

function isList(ca: Pem | readonly Pem[]): ca is readonly Pem[] {
  return Array.isArray(ca)
}

function pem(option: string, value: unknown, path: string | undefined): PemSource | undefined {
  if (value === undefined) return file(`${option}File`, path)
  if (path !== undefined)
    throw invalidOption(`${option}File`, path, `either \`${option}\` or \`${option}File\`, not both`)
  if ((typeof value !== 'string' && !Buffer.isBuffer(value)) || !value.includes('-----BEGIN')) {
    throw invalidOption(option, SECRET_VALUE, 'PEM text or a Buffer of it')
  }
  return { type: 'inline', option, pem: value }
}

function file(option: string, path: string | undefined): PemSource | undefined {
  return path === undefined ? undefined : { type: 'file', option, path: checkString(option, path) }
}

function directory(option: string, path: string | undefined): PemSource | undefined {
  return path === undefined ? undefined : { type: 'directory', option, path: checkString(option, path) }
}
