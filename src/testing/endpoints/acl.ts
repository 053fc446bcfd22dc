/** `/v1/acl/…`, as far as tests need it. See https://developer.hashicorp.com/consul/api-docs/acl. */
import type { AclPolicy, AclToken } from '../acl/acl-system.js'
import { AclRuleError } from '../acl/rules.js'
import type { AgentNode } from '../agent/agent-node.js'
import type { ApiRequest } from '../server/api-request.js'
import { metaHeaders } from '../server/query-endpoint.js'
import { json, plain, Refusal, type Reply } from '../wire/reply.js'
import type { Handler, Route } from '../server/router.js'
import { list, object, text } from '../wire/go-decode.js'

const decodePolicy = object({ ID: text, Name: text, Description: text, Rules: text }, { lenient: true })
const decodeLink = object({ ID: text, Name: text }, { lenient: true })
const decodeToken = object(
  {
    AccessorID: text,
    SecretID: text,
    Description: text,
    Policies: list(decodeLink),
    ServiceIdentities: list(object({ ServiceName: text }, { lenient: true })),
  },
  { lenient: true },
)

/** The routes of ACLs. */
export function aclRoutes(agent: AgentNode): readonly Route[] {
  const enabled =
    (handler: Handler): Handler =>
    (request) => {
      if (!agent.cluster.acl.isEnabled) throw new Refusal(401, 'ACL support disabled')
      return handler(request)
    }
  const guarded = (access: 'read' | 'write', handler: Handler): Handler =>
    enabled((request) => {
      agent.view(request.token).require('acl', '', access)
      return handler(request)
    })
  return [
    { path: '/v1/acl/bootstrap', methods: { PUT: enabled(() => bootstrap(agent)) } },
    { path: '/v1/acl/policies', methods: { GET: guarded('read', () => listPolicies(agent)) } },
    { path: '/v1/acl/policy', methods: { PUT: guarded('write', (request) => putPolicy(agent, request, undefined)) } },
    {
      path: '/v1/acl/policy/name/',
      methods: {
        GET: guarded('read', (request) =>
          readPolicy(
            agent,
            agent.cluster.acl.policies().find(({ name }) => name === request.rest),
          ),
        ),
      },
    },
    {
      path: '/v1/acl/policy/',
      methods: {
        GET: guarded('read', (request) => readPolicy(agent, agent.cluster.acl.policy(request.rest))),
        PUT: guarded('write', (request) => putPolicy(agent, request, request.rest)),
        DELETE: guarded('write', (request) => {
          agent.cluster.acl.deletePolicy(request.rest)
          return json(true)
        }),
      },
    },
    { path: '/v1/acl/tokens', methods: { GET: guarded('read', () => listTokens(agent)) } },
    { path: '/v1/acl/token', methods: { PUT: guarded('write', (request) => putToken(agent, request, undefined)) } },
    {
      path: '/v1/acl/token/self',
      methods: {
        GET: enabled((request) =>
          readToken(agent, request.token === '' ? undefined : agent.cluster.acl.findSecret(request.token)),
        ),
      },
    },
    {
      path: '/v1/acl/token/',
      methods: {
        GET: guarded('read', (request) => readToken(agent, agent.cluster.acl.token(request.rest))),
        PUT: guarded('write', (request) => putToken(agent, request, request.rest)),
        DELETE: guarded('write', (request) => {
          agent.cluster.acl.deleteToken(request.rest)
          return json(true)
        }),
      },
    },
  ]
}

function bootstrap(agent: AgentNode): Reply {
  const token = agent.cluster.acl.bootstrap()
  if (token !== undefined) return json(tokenJson(agent, token, true))
  return plain(403, 'Permission denied: ACL bootstrap no longer allowed (reset index: 5)')
}

function headers(agent: AgentNode): Readonly<Record<string, string>> {
  return metaHeaders(BigInt(agent.cluster.store.index), agent.cluster.hasLeader, 0)
}

function notFound(agent: AgentNode): Reply {
  return plain(403, 'ACL not found', headers(agent))
}

function policyJson(policy: AclPolicy, isShort: boolean): object {
  return {
    ID: policy.id,
    Name: policy.name,
    Description: policy.description,
    ...(isShort ? { Datacenters: null } : { Rules: policy.rules }),
    CreateIndex: 1,
    ModifyIndex: 1,
  }
}

function tokenJson(agent: AgentNode, token: AclToken, showsSecret: boolean): object {
  const policies = token.policyIds.flatMap((id) => {
    const policy = agent.cluster.acl.policy(id)
    return policy === undefined ? [] : [{ ID: policy.id, Name: policy.name }]
  })
  return {
    AccessorID: token.accessorId,
    ...(showsSecret ? { SecretID: token.secretId } : {}),
    Description: token.description,
    ...(policies.length === 0 ? {} : { Policies: policies }),
    ...(token.serviceIdentities.length === 0
      ? {}
      : { ServiceIdentities: token.serviceIdentities.map((ServiceName) => ({ ServiceName })) }),
    Local: false,
    CreateTime: new Date(token.createdAtMs).toISOString(),
    CreateIndex: 1,
    ModifyIndex: 1,
  }
}

function listPolicies(agent: AgentNode): Reply {
  return json(
    agent.cluster.acl.policies().map((policy) => policyJson(policy, true)),
    headers(agent),
  )
}

function readPolicy(agent: AgentNode, policy: AclPolicy | undefined): Reply {
  return policy === undefined ? notFound(agent) : json(policyJson(policy, false), headers(agent))
}

function putPolicy(agent: AgentNode, request: ApiRequest, id: string | undefined): Reply {
  const { acl } = agent.cluster
  const { Name = '', Description = '', Rules = '' } = request.decode(decodePolicy)
  if (Name === '') throw new Refusal(500, 'Invalid Policy: no Name is set')
  const namesake = acl.policies().find(({ name }) => name === Name)
  if (namesake !== undefined && namesake.id !== id) {
    throw new Refusal(500, `Invalid Policy: A Policy with Name ${JSON.stringify(Name)} already exists`)
  }
  try {
    const given = { name: Name, description: Description, rules: Rules }
    return json(policyJson(acl.putPolicy(id === undefined ? given : { ...given, id }), false))
  } catch (error) {
    if (error instanceof AclRuleError) throw new Refusal(500, error.message)
    throw error
  }
}

function listTokens(agent: AgentNode): Reply {
  return json(
    agent.cluster.acl.tokens().map((token) => tokenJson(agent, token, false)),
    headers(agent),
  )
}

function readToken(agent: AgentNode, token: AclToken | undefined): Reply {
  return token === undefined ? notFound(agent) : json(tokenJson(agent, token, true), headers(agent))
}

function putToken(agent: AgentNode, request: ApiRequest, accessorId: string | undefined): Reply {
  const { acl } = agent.cluster
  const given = request.decode(decodeToken)
  const policyIds = (given.Policies ?? []).map(({ ID = '', Name = '' }) => {
    const policy = acl.policy(ID === '' ? Name : ID)
    if (policy === undefined)
      throw new Refusal(500, `No such ACL policy with name ${JSON.stringify(ID === '' ? Name : ID)}`)
    return policy.id
  })
  const before = accessorId === undefined ? undefined : acl.token(accessorId)
  const token = acl.putToken({
    ...before,
    ...(given.AccessorID === undefined || given.AccessorID === '' ? {} : { accessorId: given.AccessorID }),
    ...(given.SecretID === undefined || given.SecretID === '' ? {} : { secretId: given.SecretID }),
    ...(accessorId === undefined ? {} : { accessorId }),
    description: given.Description ?? before?.description ?? '',
    policyIds,
    serviceIdentities: (given.ServiceIdentities ?? []).map(({ ServiceName = '' }) => ServiceName),
  })
  return json(tokenJson(agent, token, true))
}
