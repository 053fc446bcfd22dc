import { describe, expect, it } from 'vitest'
import { readEnvironment } from '../../../src/options/environment.js'

describe('the environment variables of Consul', () => {
  it('are each read under its name, and an empty one counts as unset', () => {
    const all = {
      CONSUL_HTTP_ADDR: 'a',
      CONSUL_HTTP_SSL: 'true',
      CONSUL_HTTP_SSL_VERIFY: '0',
      CONSUL_HTTP_TOKEN: 'b',
      CONSUL_HTTP_TOKEN_FILE: 'c',
      CONSUL_HTTP_AUTH: 'd',
      CONSUL_CACERT: 'e',
      CONSUL_CAPATH: 'f',
      CONSUL_CLIENT_CERT: 'g',
      CONSUL_CLIENT_KEY: 'h',
      CONSUL_TLS_SERVER_NAME: 'i',
      CONSUL_NAMESPACE: 'j',
      CONSUL_PARTITION: 'k',
    }
    expect(readEnvironment(all)).toEqual({
      address: 'a',
      ssl: true,
      sslVerify: false,
      token: 'b',
      tokenFile: 'c',
      auth: 'd',
      caFile: 'e',
      caPath: 'f',
      certFile: 'g',
      keyFile: 'h',
      serverName: 'i',
      namespace: 'j',
      partition: 'k',
    })
    expect(readEnvironment(Object.fromEntries(Object.keys(all).map((name) => [name, ''])))).toEqual({})
    expect(readEnvironment({})).toEqual({})
  })

  it.each(['1', 't', 'T', 'TRUE', 'true', 'True'])('say yes with %s', (word) => {
    expect(readEnvironment({ CONSUL_HTTP_SSL: word })).toEqual({ ssl: true })
  })

  it.each(['0', 'f', 'F', 'FALSE', 'false', 'False'])('say no with %s', (word) => {
    expect(readEnvironment({ CONSUL_HTTP_SSL_VERIFY: word })).toEqual({ sslVerify: false })
  })

  it.each(['yes', 'no', 'on', ' true', 'tRUE'])('are refused with %s, by name', (word) => {
    expect(() => readEnvironment({ CONSUL_HTTP_SSL_VERIFY: word })).toThrow(
      `CONSUL_HTTP_SSL_VERIFY is "${word}"; expected one of 1, t`,
    )
  })
})
