import { describe, expect, test } from 'vitest'
import { RuleAuthorizer } from '../../../../src/testing/acl/authorizer.js'
import { AclRuleError, parseRules } from '../../../../src/testing/acl/rules.js'

const authorizer = (rules: string, defaultPolicy: 'allow' | 'deny' = 'deny'): RuleAuthorizer =>
  new RuleAuthorizer(parseRules(rules), { accessorId: 'id', isAnonymous: false }, defaultPolicy)

describe('policy rules', () => {
  const expected = [
    { resource: 'service', match: 'exact', segment: 'web', access: 'write' },
    { resource: 'key', match: 'prefix', segment: 'cfg/', access: 'read' },
    { resource: 'operator', match: 'exact', segment: '', access: 'read' },
  ]

  test('are read from HCL, with comments and further settings', () => {
    const text = `
      # a comment
      service "web" { policy = "write" intentions = "read" } // another
      key_prefix "cfg/" {
        policy = "read"
      }
      operator = "read"
    `
    expect(parseRules(text)).toEqual(expected)
  })

  test('are read from JSON', () => {
    const text = JSON.stringify({
      service: { web: { policy: 'write' } },
      key_prefix: { 'cfg/': { policy: 'read' } },
      operator: 'read',
    })
    expect(parseRules(text)).toEqual(expected)
  })

  test.each(['bogus', 'service "web" { policy = "sometimes" }', 'planet "x" { policy = "read" }', 'service "web" {'])(
    '%s is refused',
    (text) => {
      expect(() => parseRules(text)).toThrow(AclRuleError)
    },
  )

  test('grant what they include, and deny by default', () => {
    const may = authorizer('service "web" { policy = "write" } node_prefix "" { policy = "read" }')
    expect(may.allows('service', 'web', 'read')).toBe(true)
    expect(may.allows('service', 'web', 'write')).toBe(true)
    expect(may.allows('service', 'other', 'read')).toBe(false)
    expect(may.allows('node', 'any', 'read')).toBe(true)
    expect(may.allows('node', 'any', 'write')).toBe(false)
    expect(authorizer('', 'allow').allows('key', 'x', 'write')).toBe(true)
  })

  test('the strictest of equal rules wins when it denies', () => {
    expect(authorizer('key "a" { policy = "write" } key "a" { policy = "deny" }').allows('key', 'a', 'read')).toBe(
      false,
    )
    expect(authorizer('key "a" { policy = "read" } key "a" { policy = "write" }').allows('key', 'a', 'write')).toBe(
      true,
    )
  })

  test('a tree may be written only when nothing below it may not', () => {
    expect(authorizer('key_prefix "a/" { policy = "write" }').allowsTree('a/')).toBe(true)
    expect(authorizer('key_prefix "a/" { policy = "write" } key "a/b" { policy = "read" }').allowsTree('a/')).toBe(
      false,
    )
  })
})
