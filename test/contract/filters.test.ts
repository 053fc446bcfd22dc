import { beforeAll, expect } from 'vitest'
import { contract } from './support/contract.js'

/** Which find the one instance that is registered below. */
const EXPRESSIONS: readonly (readonly [expression: string, finds: boolean])[] = [
  ['Service.ID == web1', true],
  ['  Service.ID==web1 ', true],
  ['Service.ID == `web1`', true],
  ['Service.ID == "web2"', false],
  ['Service.ID != web2', true],
  ['Service.Meta.v == "1"', true],
  ['Service.Meta["v"] == 1', true],
  ['Service.Meta.nope == 1', false],
  ['Service.Meta.nope != 1', true],
  ['"v" in Service.Meta', true],
  ['Service.Meta contains nope', false],
  ['Service.Meta is empty', false],
  ['Service.Tags contains "a"', true],
  ['"a" in Service.Tags', true],
  ['"zz" not in Service.Tags', true],
  ['Service.Tags not contains zz', true],
  ['Service.Tags is empty', false],
  ['Service.Tags is not empty', true],
  ['not Service.Tags is empty', true],
  ['Service.ID matches "^w"', true],
  ['Service.ID not matches "^x"', true],
  ['Service.ID contains "eb"', true],
  ['Service.Port == 80', true],
  ['Service.Port == "80"', true],
  ['Service.EnableTagOverride == false', true],
  ['Service.Weights.Passing == 1', true],
  ['Service.Kind == ""', true],
  ['Service.Connect.Native == false', true],
  ['Service.TaggedAddresses.lan_ipv4.Port == 80', true],
  ['Service.TaggedAddresses.nope.Port == 80', false],
  ['Node.Datacenter == dc1', true],
  ['Node.Meta["consul-network-segment"] == ""', true],
  ['Checks.Status == "passing"', true],
  ['Checks.Status == "warning"', false],
  ['Checks.Status != passing', true],
  ['Checks is empty', false],
  ['Service.ID == web2 and Service.Port == 80 or Service.Port == 80', true],
  ['Service.ID == web2 and (Service.Port == 80 or Service.Port == 80)', false],
  ['not not Service.ID == web1', true],
]

/** What is said of expressions that cannot be used. */
const MISTAKES: readonly (readonly [expression: string, says: string])[] = [
  ['Bogus == 1', 'Selector "Bogus" is not valid'],
  ['Service.Proxy.Mode == x', 'Selector "Service.Proxy.Mode" is not valid'],
  ['service.ID == web1', 'Selector "service" is not valid'],
  ['Service.Tags == a', 'Invalid match operator "Equal" for selector "Service.Tags"'],
  ['Service.ID is empty', 'Invalid match operator "Is Empty" for selector "Service.ID"'],
  ['Service.Port matches 8', 'Invalid match operator "Matches" for selector "Service.Port"'],
  ['Checks contains x', 'Invalid match operator "In" for selector "Checks"'],
  [
    'Service.Port == abc',
    'Failed to coerce value "abc" for selector "Service.Port": strconv.ParseInt: parsing "abc": invalid syntax',
  ],
  ['Service.EnableTagOverride == yes', 'strconv.ParseBool: parsing "yes": invalid syntax'],
  ['Service.ID matches "("', 'Failed to compile regular expression "(": error parsing regexp: missing closing ): `(`'],
  ['Service == ', '1:12 (11): no match found, expected: "-", "0", "\\"", "`", [ \\t\\r\\n], [1-9] or [a-zA-Z]'],
  ['Service.ID', '1:11 (10): no match found, expected: "!=", ".", "==", "[", [ \\t\\r\\n] or [a-zA-Z0-9_]'],
  [
    'Service.Port > 5',
    '1:14 (13): no match found, expected: "!=", "==", "contains", "in", "is", "matches", "not" or [ \\t\\r\\n]',
  ],
  ['Service.ID == web1 or', '1:22 (21): no match found, expected: [ \\t\\r\\n]'],
  ['(Service.ID == web1', '1:20 (19): rule "grouping": Unmatched parentheses'],
  ['Service.ID != "a', '1:17 (16): rule "string": Unterminated string literal'],
  ['Service.Meta["v"', '1:17 (16): rule "index": Unclosed index expression'],
]

contract('filter expressions', ({ must, http, agent }) => {
  beforeAll(async () => {
    await http.put('/v1/agent/service/register', {
      ID: 'web1',
      Name: 'web',
      Tags: ['a', 'b'],
      Port: 80,
      Address: '10.0.0.1',
      Meta: { v: '1' },
      Check: { TTL: '1h' },
    })
  })
  const ask = (path: string, expression: string) => http.get(`${path}?filter=${encodeURIComponent(expression)}`)

  for (const [expression, finds] of EXPRESSIONS) {
    must(`${expression} ${finds ? 'finds' : 'does not find'} it`, async () => {
      const answer = await ask('/v1/health/service/web', expression)
      expect(answer.status).toBe(200)
      expect(answer.json()).toHaveLength(finds ? 1 : 0)
    })
  }

  for (const [expression, says] of MISTAKES) {
    must(`${expression} is a mistake`, async () => {
      const answer = await ask('/v1/health/service/web', expression)
      expect(answer.status).toBe(500)
      expect(answer.text).toContain(`Failed to create boolean expression evaluator: `)
      expect(answer.text).toContain(says)
      expect(answer.index).toBe(1)
    })
  }

  must('work on every kind of list, each with its own fields', async () => {
    expect((await ask('/v1/catalog/service/web', 'ServiceMeta.v == 1 and ServicePort == 80')).json()).toHaveLength(1)
    expect((await ask('/v1/catalog/service/web', 'Service.Port == 80')).status).toBe(500)
    expect((await ask('/v1/catalog/nodes', `Node == "${agent().node}"`)).json()).toHaveLength(1)
    expect((await ask('/v1/health/state/any', 'ServiceName == web')).json()).toHaveLength(1)
    expect((await ask(`/v1/health/node/${agent().node}`, 'ServiceTags contains a')).json()).toHaveLength(1)
    expect((await ask('/v1/health/checks/web', 'Status == critical')).json()).toHaveLength(1)
    expect(Object.keys((await ask('/v1/agent/services', 'Service == web and Meta.v == 1')).json<object>())).toEqual([
      'web1',
    ])
    expect(Object.keys((await ask('/v1/agent/checks', '"a" in ServiceTags')).json<object>())).toEqual(['service:web1'])
    const node = (await ask(`/v1/catalog/node/${agent().node}`, 'Service == web')).json<{ Services: object }>()
    expect(Object.keys(node.Services)).toEqual(['web1'])
  })

  must('mean nothing to the list of services', async () => {
    expect((await ask('/v1/catalog/services', 'Bogus == 1')).status).toBe(200)
  })
})
