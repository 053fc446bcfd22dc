/** Policy rules, in the two notations that Consul takes: HCL and JSON. See https://developer.hashicorp.com/consul/docs/security/acl/acl-rules. */

/** What a rule can be about. */
export type AclResource =
  'acl' | 'agent' | 'event' | 'key' | 'keyring' | 'node' | 'operator' | 'query' | 'service' | 'session'

/** What a rule grants; each but `deny` includes the ones before it. */
export type AclAccess = 'deny' | 'read' | 'list' | 'write'

/** One rule. */
export interface AclRule {
  readonly resource: AclResource
  readonly match: 'exact' | 'prefix'
  readonly segment: string
  readonly access: AclAccess
}

const RESOURCES: readonly AclResource[] = [
  'acl',
  'agent',
  'event',
  'key',
  'keyring',
  'node',
  'operator',
  'query',
  'service',
  'session',
]
const ACCESSES: readonly AclAccess[] = ['deny', 'read', 'list', 'write']

/** Rules that cannot be read. */
export class AclRuleError extends Error {
  override readonly name = 'AclRuleError'
}

/**
 * The rules of a policy text.
 * @throws AclRuleError when it is neither of the two notations, or names an unknown resource or access.
 */
export function parseRules(text: string): readonly AclRule[] {
  return text.trim().startsWith('{') ? parseJsonRules(text) : parseHclRules(text)
}

function parseJsonRules(text: string): readonly AclRule[] {
  const parsed: unknown = JSON.parse(text)
  const rules: AclRule[] = []
  for (const [name, value] of Object.entries(parsed ?? {})) {
    if (typeof value === 'string') rules.push(createRule(name, '', value))
    else for (const [segment, body] of entriesOf(value)) rules.push(createRule(name, segment, policyOf(body)))
  }
  return rules
}

function entriesOf(value: unknown): readonly [string, unknown][] {
  return typeof value === 'object' && value !== null ? Object.entries(value) : []
}

function policyOf(body: unknown): string {
  return typeof body === 'object' && body !== null && 'policy' in body ? String(body.policy) : ''
}

function parseHclRules(text: string): readonly AclRule[] {
  const words = tokenize(text)
  const rules: AclRule[] = []
  const next = (): string => words.shift() ?? ''
  while (words.length > 0) {
    const name = next()
    const second = next()
    if (second === '=') {
      rules.push(createRule(name, '', unquote(next())))
      continue
    }
    if (next() !== '{') throw new AclRuleError(`Failed to parse ACL rules: expected a block after ${name} ${second}`)
    let access = ''
    for (let word = next(); word !== '}'; word = next()) {
      if (word === '' || next() !== '=')
        throw new AclRuleError(`Failed to parse ACL rules: unfinished block ${name} ${second}`)
      const value = unquote(next())
      if (word === 'policy') access = value
    }
    rules.push(createRule(name, unquote(second), access))
  }
  return rules
}

function tokenize(text: string): string[] {
  const withoutComments = text.replace(/(?:#|\/\/).*$/gm, '')
  return withoutComments.match(/"(?:[^"\\]|\\.)*"|[A-Za-z_]+|[{}=]/g) ?? []
}

function unquote(word: string): string {
  return word.replace(/^"|"$/g, '')
}

function createRule(name: string, segment: string, access: string): AclRule {
  const isPrefix = name.endsWith('_prefix')
  const resource = RESOURCES.find((known) => known === name.replace(/_prefix$/, ''))
  if (resource === undefined) throw new AclRuleError(`Failed to parse ACL rules: unknown resource ${name}`)
  const known = ACCESSES.find((candidate) => candidate === access)
  if (known === undefined) throw new AclRuleError(`Invalid ${name} policy: ${JSON.stringify(access)}`)
  return { resource, match: isPrefix ? 'prefix' : 'exact', segment, access: known }
}
