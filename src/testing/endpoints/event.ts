/** `/v1/event/…`. See https://developer.hashicorp.com/consul/api-docs/event. */
import type { AgentNode } from '../agent/agent-node.js'
import { eventIndex } from '../cluster/user-events.js'
import type { ApiRequest } from '../server/api-request.js'
import { AgentStopped, waitFor } from '../server/blocking-query.js'
import { compileGoRegExp, GoRegExpError } from '../wire/go-reg-exp.js'
import { json, Refusal, type Reply } from '../wire/reply.js'
import type { Route } from '../server/router.js'
import { topics } from '../state/wake-ups.js'
import { requireRest } from './require-rest.js'

/** The routes of user events. */
export function eventRoutes(agent: AgentNode): readonly Route[] {
  return [
    { path: '/v1/event/fire/', methods: { PUT: (request) => fire(agent, request) } },
    { path: '/v1/event/list', methods: { GET: (request) => listEvents(agent, request) } },
  ]
}

function fire(agent: AgentNode, request: ApiRequest): Reply {
  const name = requireRest(request, 'Missing name')
  const service = request.param('service')
  if (request.param('tag') !== '' && service === '')
    throw new Refusal(500, 'Cannot provide tag filter without service filter')
  const filters = { node: request.param('node'), service, tag: request.param('tag') }
  for (const [subject, expression] of Object.entries(filters)) checkExpression(subject, expression)
  agent.view(request.token).require('event', name, 'write')
  return json(
    agent.cluster.events.fire({
      Name: name,
      Payload: request.body.length === 0 ? null : request.body.toString('base64'),
      NodeFilter: request.param('node'),
      ServiceFilter: service,
      TagFilter: request.param('tag'),
    }),
  )
}

function checkExpression(subject: string, expression: string): void {
  try {
    compileGoRegExp(expression)
  } catch (error) {
    if (!(error instanceof GoRegExpError)) throw error
    throw new Refusal(500, `Invalid ${subject} filter: ${error.message}`)
  }
}

async function listEvents(agent: AgentNode, request: ApiRequest): Promise<Reply> {
  const name = request.param('name')
  const minIndex = request.minIndex
  const deadlineMs = agent.clock.monotonic() + request.waitMs * (1 + agent.random() / 16)
  for (;;) {
    const view = agent.view(request.token)
    const heard = agent.cluster.events.list(name).filter((event) => isForThisNode(agent, event))
    const events = view.visible(heard, ({ Name }) => view.authorizer.allows('event', Name, 'read'))
    const last = events.at(-1)
    const index = last === undefined ? 1n : eventIndex(last.ID)
    // Such an index does not grow: only being another one counts.
    const isDue = minIndex === 0n || index !== minIndex || agent.clock.monotonic() >= deadlineMs
    const answer = json(events, { 'X-Consul-Index': index.toString() })
    if (isDue) return answer
    const outcome = await waitFor(
      { clock: agent.clock, store: agent.cluster.store, waiters: agent.waiters },
      [topics.events],
      deadlineMs - agent.clock.monotonic(),
    )
    if (outcome === 'stopped') throw new AgentStopped()
    if (outcome === 'spurious') return answer
  }
}

/** An agent keeps the events that are meant for it. */
function isForThisNode(
  agent: AgentNode,
  filters: { readonly NodeFilter: string; readonly ServiceFilter: string; readonly TagFilter: string },
): boolean {
  if (filters.NodeFilter !== '' && !new RegExp(filters.NodeFilter).test(agent.nodeName)) return false
  if (filters.ServiceFilter === '') return true
  return agent.local
    .services()
    .filter(({ definition }) => new RegExp(filters.ServiceFilter).test(definition.name))
    .some(
      ({ definition }) =>
        filters.TagFilter === '' || definition.tags.some((tag) => new RegExp(filters.TagFilter).test(tag)),
    )
}
