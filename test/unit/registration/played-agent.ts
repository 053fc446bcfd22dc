import { AgentApi } from '../../../src/api/agent.js'
import { HealthApi } from '../../../src/api/health.js'
import { throwIfAborted } from '../../../src/core/abort.js'
import { ProconsulError, type ProconsulErrorCode } from '../../../src/errors/proconsul-error.js'
import type { HttpAnswer, HttpClient, HttpRequest } from '../../../src/http/request.js'
import { formatBoot, type Boot } from '../../../src/registration/identity/boot.js'
import { Agents } from '../../../src/registration/record/agent/agents.js'
import type { ConsulParts } from '../../../src/registration/record/agent/consul-parts.js'
import { FakeClock } from '../../support/fake-clock.js'
import { recordingLogger, type RecordingLogger } from '../../support/recording-logger.js'

/** What the agent says to one request: a body that goes out as JSON, or a failure. */
export type Played = { readonly status?: number; readonly body?: unknown } | ProconsulError

/** What an agent says that knows no service and accepts everything. */
const EMPTY: Readonly<Record<string, Played>> = {
  'agent.service': { status: 404, body: '' },
  'agent.services': { body: {} },
  'agent.checks': { body: {} },
  'health.service': { body: [] },
  'agent.self': { body: { Config: { NodeName: 'node' } } },
}

/** An agent without sockets: it answers each operation as a test says, in order and then the last answer again, and remembers all. */
export class PlayedAgent implements HttpClient {
  readonly requests: HttpRequest[] = []
  readonly #answers = new Map<string, (Played | Promise<Played>)[]>()
  #play: ((request: HttpRequest) => Played | undefined | Promise<Played | undefined>) | undefined

  /** Sets the answers to one operation, such as `agent.service.register`. */
  answers(operation: string, ...answers: (Played | Promise<Played>)[]): void {
    this.#answers.set(operation, answers)
  }

  /** Answers every request as the function says; where it says nothing, as it would without. */
  plays(play: (request: HttpRequest) => Played | undefined | Promise<Played | undefined>): void {
    this.#play = play
  }

  /** Holds the next answer to one operation until the returned function is called. */
  hold(operation: string, answer: Played = {}): () => void {
    let release: () => void = () => undefined
    const held = new Promise<Played>((resolve) => (release = () => resolve(answer)))
    this.answers(operation, held, {})
    return release
  }

  /** What was asked, in order. */
  get operations(): readonly string[] {
    return this.requests.map(({ operation }) => operation)
  }

  /** The requests of one operation. */
  sent(operation: string): readonly HttpRequest[] {
    return this.requests.filter((request) => request.operation === operation)
  }

  async request(request: HttpRequest): Promise<HttpAnswer> {
    throwIfAborted(request.signal)
    this.requests.push(request)
    const answers = this.#answers.get(request.operation) ?? []
    const played = await this.#play?.(request)
    const answer =
      played ?? (await ((answers.length > 1 ? answers.shift() : answers[0]) ?? EMPTY[request.operation] ?? {}))
    if (answer instanceof ProconsulError) throw answer
    const { status = 200, body = '' } = answer
    return { operation: request.operation, status, body: Buffer.from(JSON.stringify(body)), meta: {} }
  }
}

/** A failure, as the client would throw it. `systemCode` is that of a connection. */
export function failure(code: ProconsulErrorCode, systemCode?: string): ProconsulError {
  const cause = systemCode === undefined ? undefined : Object.assign(new Error(systemCode), { code: systemCode })
  return new ProconsulError(code, code, { cause })
}

const HERE = { hostname: 'here', thread: 0, pidSpace: '0123456789abcdef' } as const
/** The run under test. */
export const OWN: Boot = { ...HERE, pid: process.pid, runId: '11111111-1111-4111-8111-111111111111' }
/** A run on this host that goes on. */
export const LIVE: Boot = { ...HERE, pid: process.ppid, runId: '22222222-2222-4222-8222-222222222222' }
/** A run on this host that has ended: no process has such an id. */
export const DEAD: Boot = { ...HERE, pid: 99_999_999, runId: '33333333-3333-4333-8333-333333333333' }
/** A run on another host: whether it goes on cannot be told. */
export const FAR: Boot = {
  hostname: 'there',
  pid: 1,
  thread: 0,
  pidSpace: 'fedcba9876543210',
  runId: '44444444-4444-4444-8444-444444444444',
}
/** A run of another container with our host name: one that goes on, or what we were before a restart. */
export const CONTAINED: Boot = { ...FAR, hostname: 'here', runId: '55555555-5555-4555-8555-555555555555' }

/** The metadata by which a run is known. */
export function metaOf(boot: Boot): { readonly 'proconsul-boot': string } {
  return { 'proconsul-boot': formatBoot(boot) }
}

/** What records are kept with, on a played agent and in fake time. */
export function playedParts(): ConsulParts & {
  readonly played: PlayedAgent
  readonly agents: Agents
  readonly clock: FakeClock
  readonly logger: RecordingLogger
  /** How often the token has changed. */
  readonly token: { changes: number }
} {
  const token = { changes: 0 }
  const [played, clock, logger] = [new PlayedAgent(), new FakeClock(), recordingLogger()]
  const runtime = { clock, random: () => 0.5, logger }
  const agent = new AgentApi(played)
  return {
    played,
    clock,
    logger,
    runtime,
    agent,
    agents: new Agents({ runtime, agent }),
    services: agent.services,
    checks: agent.checks,
    health: new HealthApi(played),
    token,
    tokenChanges: () => token.changes,
  }
}
