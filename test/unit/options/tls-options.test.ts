import { describe, expect, it } from 'vitest'
import { resolveTls, type TlsOptions } from '../../../src/options/tls-options.js'

const PEM = '-----BEGIN CERTIFICATE-----'
const tls = (options?: TlsOptions, environment = {}) => resolveTls(options, environment, true)
const file = (option: string, path: string) => ({ type: 'file', option, path })
const inline = (option: string, pem: string | Buffer = PEM) => ({ type: 'inline', option, pem })

describe('TLS', () => {
  it('checks the agent against the authorities of the system by default', () => {
    expect(tls()).toEqual({
      ca: [],
      cert: undefined,
      key: undefined,
      passphrase: undefined,
      serverName: undefined,
      verify: true,
    })
  })

  it('knows each source by the option that it was written under', () => {
    expect(tls({ ca: [PEM, Buffer.from(PEM)], caFile: '/ca', caPath: '/cas', cert: PEM, key: PEM })).toMatchObject({
      ca: [
        inline('tls.ca'),
        inline('tls.ca', Buffer.from(PEM)),
        file('tls.caFile', '/ca'),
        { type: 'directory', option: 'tls.caPath', path: '/cas' },
      ],
      cert: inline('tls.cert'),
      key: inline('tls.key'),
    })
    expect(tls({ ca: PEM, certFile: '/c', keyFile: '/k' })).toMatchObject({
      ca: [inline('tls.ca')],
      cert: file('tls.certFile', '/c'),
      key: file('tls.keyFile', '/k'),
    })
    expect(
      tls(undefined, {
        caFile: '/ca',
        caPath: '/cas',
        certFile: '/c',
        keyFile: '/k',
        serverName: 'a:8501',
        sslVerify: false,
      }),
    ).toMatchObject({
      ca: [file('CONSUL_CACERT', '/ca'), { type: 'directory', option: 'CONSUL_CAPATH', path: '/cas' }],
      cert: file('CONSUL_CLIENT_CERT', '/c'),
      key: file('CONSUL_CLIENT_KEY', '/k'),
      serverName: 'a',
      verify: false,
    })
  })

  it('lets an option win over its variable, a pair as a whole', () => {
    const environment = { caFile: '/env', certFile: '/env', serverName: 'env', sslVerify: false }
    const options = { ca: PEM, certFile: '/c', keyFile: '/k', servername: 'own', rejectUnauthorized: true }
    expect(tls(options, environment)).toMatchObject({
      ca: [inline('tls.ca')],
      cert: file('tls.certFile', '/c'),
      key: file('tls.keyFile', '/k'),
      serverName: 'own',
      verify: true,
    })
  })

  it.each<[object, object, string]>([
    [{ certfile: '/c' }, {}, 'Did you mean certFile?'],
    [{ servername: '' }, {}, 'tls.servername is ""'],
    [{ rejectUnauthorized: 'no' }, {}, 'tls.rejectUnauthorized is "no"; expected true or false'],
    [{ passphrase: 5 }, {}, 'tls.passphrase is not acceptable (its value is not shown); expected a string'],
    [{ ca: 5 }, {}, 'tls.ca is not acceptable (its value is not shown); expected PEM text or a Buffer of it'],
    [{ ca: [PEM, '/ca.pem'] }, {}, 'tls.ca is not acceptable'],
    [{ caFile: 5 }, {}, 'tls.caFile is 5; expected a non-empty string'],
    [{ caPath: '' }, {}, 'tls.caPath is ""'],
    [
      { cert: PEM, certFile: '/c', key: PEM },
      {},
      'tls.certFile is "/c"; expected either `tls.cert` or `tls.certFile`, not both',
    ],
    [{ key: PEM }, {}, 'tls.cert is undefined; expected both a certificate and its key, or neither'],
    [
      { certFile: '/c' },
      {},
      'tls.cert is not acceptable (its value is not shown); expected both a certificate and its key',
    ],
    [
      {},
      { certFile: '/c' },
      'CONSUL_CLIENT_KEY is undefined; expected the key of CONSUL_CLIENT_CERT; both or neither must be set',
    ],
    [
      {},
      { keyFile: '/k' },
      'CONSUL_CLIENT_CERT is undefined; expected the certificate of CONSUL_CLIENT_KEY; both or neither',
    ],
  ])('refuses %j with %j', (options, environment, said) => {
    expect(() => tls(options, environment)).toThrow(
      expect.objectContaining({
        code: 'PROCONSUL_INVALID_OPTION',
        message: expect.stringContaining(said) as string,
      }),
    )
  })

  it('is refused for an address that is not https, unless nothing was asked for', () => {
    expect(() => resolveTls({}, {}, false)).toThrow("expected an address that begins with 'https://'")
    expect(resolveTls(undefined, { caFile: '/ca' }, false).verify).toBe(true)
  })
})
