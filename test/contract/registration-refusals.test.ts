import { expect } from 'vitest'
import { contract } from './support/contract.js'

const decodeFailed = 'Request decode failed: '
const badMeta = 'Invalid Service Meta: '

/** What is sent, the status, and how the refusal begins. */
const REFUSALS: readonly (readonly [title: string, body: unknown, status: number, begins: string])[] = [
  ['no name', {}, 400, 'Missing service name'],
  ['an empty name', { Name: '' }, 400, 'Missing service name'],
  ['an empty body', '', 400, `${decodeFailed}EOF`],
  ['a body that is no JSON', 'garbage', 400, `${decodeFailed}invalid character 'g' looking for beginning of value`],
  ['a body cut short', '{"Name":"x",', 400, `${decodeFailed}unexpected EOF`],
  ['an unknown field', { Name: 'x', Prot: 80 }, 400, `${decodeFailed}json: unknown field "Prot"`],
  [
    'an unknown field deep inside',
    { Name: 'x', TaggedAddresses: { lan: { Address: '1.2.3.4', Bogus: 1 } } },
    400,
    `${decodeFailed}json: unknown field "Bogus"`,
  ],
  ['a list where an object belongs', [], 400, `${decodeFailed}json: cannot unmarshal array into Go value of type`],
  [
    'a text for a port',
    { Name: 'x', Port: '80' },
    400,
    `${decodeFailed}json: cannot unmarshal string into Go struct field .Port of type int`,
  ],
  [
    'a broken port',
    { Name: 'x', Port: 80.5 },
    400,
    `${decodeFailed}json: cannot unmarshal number 80.5 into Go struct field .Port of type int`,
  ],
  [
    'a number for a name',
    { Name: 5 },
    400,
    `${decodeFailed}json: cannot unmarshal number into Go struct field .Name of type string`,
  ],
  [
    'a number in meta',
    { Name: 'x', Meta: { a: 1 } },
    400,
    `${decodeFailed}json: cannot unmarshal number into Go struct field .Meta of type string`,
  ],
  ['the address 0.0.0.0', { Name: 'x', Address: '0.0.0.0' }, 400, 'Invalid service address'],
  ['the address ::', { Name: 'x', Address: '::' }, 400, 'Invalid service address'],
  [
    'a passing weight of 0',
    { Name: 'x', Weights: { Passing: 0 } },
    400,
    'Invalid Weights: Passing must be greater than 0',
  ],
  [
    'a weight too large',
    { Name: 'x', Weights: { Passing: 70_000, Warning: 1 } },
    400,
    'Invalid Weights: DNS Weight must be between 0 and 65535',
  ],
  [
    '65 pairs of meta',
    { Name: 'x', Meta: Object.fromEntries(Array.from({ length: 65 }, (_, i) => [`k${i}`, 'v'])) },
    400,
    `${badMeta}Node metadata cannot contain more than 64 key/value pairs`,
  ],
  ['a meta key with a space', { Name: 'x', Meta: { 'a b': '1' } }, 400, badMeta],
  ['an empty meta key', { Name: 'x', Meta: { '': '1' } }, 400, badMeta],
  ['a reserved meta key', { Name: 'x', Meta: { 'consul-x': '1' } }, 400, badMeta],
  ['a meta key of 129 bytes', { Name: 'x', Meta: { ['k'.repeat(129)]: '1' } }, 400, badMeta],
  ['a meta value of 513 bytes', { Name: 'x', Meta: { k: 'v'.repeat(513) } }, 400, badMeta],
  [
    'a meta value whose characters fit but whose bytes do not',
    { Name: 'x', Meta: { k: 'ü'.repeat(300) } },
    400,
    badMeta,
  ],
  ['an empty check in a list', { Name: 'x', Checks: [{}] }, 400, 'Invalid check: TTL must be > 0 for TTL checks'],
  [
    'a check with only a name',
    { Name: 'x', Checks: [{ Name: 'n' }] },
    400,
    'Invalid check: TTL must be > 0 for TTL checks',
  ],
  [
    'a TTL that is no duration',
    { Name: 'x', Check: { TTL: 'abc' } },
    400,
    `${decodeFailed}time: invalid duration "abc"`,
  ],
  [
    'a TTL without a unit',
    { Name: 'x', Check: { TTL: '10' } },
    400,
    `${decodeFailed}time: missing unit in duration "10"`,
  ],
  [
    'a TTL with an interval',
    { Name: 'x', Check: { TTL: '10s', Interval: '10s' } },
    400,
    'Invalid check: Interval and TTL cannot both be specified',
  ],
  [
    'a check in no known state',
    { Name: 'x', Check: { TTL: '10s', Status: 'bogus' } },
    400,
    "Status for checks must 'passing', 'warning', 'critical'",
  ],
  [
    'an HTTP check without an interval',
    { Name: 'x', Check: { HTTP: 'http://127.0.0.1:1' } },
    400,
    'Invalid check: Interval must be > 0',
  ],
  [
    'a negative limit of output',
    { Name: 'x', Check: { TTL: '10s', OutputMaxSize: -1 } },
    400,
    'Invalid check: MaxOutputMaxSize must be positive',
  ],
  [
    'ID where a check of a service says CheckID',
    { Name: 'x', Checks: [{ ID: 'a', TTL: '10s' }] },
    400,
    `${decodeFailed}json: unknown field "ID"`,
  ],
  [
    'a script',
    { Name: 'x', Check: { Args: ['ls'], Interval: '1s' } },
    500,
    'Scripts are disabled on this agent from remote calls',
  ],
]

contract('refusing a registration', ({ must, http }) => {
  for (const [title, body, status, begins] of REFUSALS) {
    must(`with ${title}`, async () => {
      const answer = await http.put('/v1/agent/service/register', body)
      expect(answer.status).toBe(status)
      expect(answer.text.slice(0, begins.length)).toBe(begins)
      expect(answer.headers['content-type']).toBe('text/plain; charset=utf-8')
    })
  }

  must('and registering nothing of it', async () => {
    expect((await http.get('/v1/agent/services')).json()).toEqual({})
    expect((await http.get('/v1/agent/checks')).json()).toEqual({})
  })
})
