import { afterAll, beforeAll, describe, test } from 'vitest'
import { compareVersions } from '../../support/consul-binary.js'
import { HAS_REAL_CONSUL, SUBJECTS, type RunningSubject, type Subject, type SubjectOptions } from './subject.js'
import { WireClient } from './wire-client.js'

type Case = (title: string, run: () => Promise<void> | void) => void

/** What a group of cases gets. */
export interface ContractContext {
  readonly subject: Subject
  /** A client for the group's agent; with the management token where there are ACLs. */
  readonly http: WireClient
  /** The running agent. */
  readonly agent: () => RunningSubject
  /** A case that every version fulfils. */
  readonly must: Case
  /** A case of this version and later ones; on earlier ones it is shown as skipped, with the reason. */
  readonly since: (version: string, why: string) => Case
  /** A case of versions before this one; on later ones it is shown as skipped, with the reason. */
  readonly before: (version: string, why: string) => Case
  /** A name that no other case uses. */
  readonly unique: (word: string) => string
}

/** A group of cases, held against every subject, each on an agent of its own. */
export function contract(
  title: string,
  define: (context: ContractContext) => void,
  options: SubjectOptions = {},
): void {
  for (const subject of SUBJECTS) describe(`${title} (${subject.name})`, () => defineFor(subject, define, options))
  if (!HAS_REAL_CONSUL)
    describe.skip(`${title} (real Consul: none was found here)`, () => test('not run', () => undefined))
}

function defineFor(subject: Subject, define: (context: ContractContext) => void, options: SubjectOptions): void {
  let agent: RunningSubject | undefined
  let count = 0
  const running = (): RunningSubject => agent ?? missing()
  const http = new WireClient(() => ({ url: running().url, token: running().managementToken }))
  beforeAll(async () => {
    agent = await subject.start(options)
  })
  afterAll(async () => {
    http.close()
    await agent?.close()
  })
  const onlyIf =
    (isMet: boolean, reason: string): Case =>
    (title, run) => {
      if (isMet) test(title, run)
      else test.skip(`${title} [not on ${subject.version}: ${reason}]`, run)
    }
  define({
    subject,
    http,
    agent: running,
    must: (title, run) => {
      test(title, run)
    },
    since: (version, why) => onlyIf(compareVersions(subject.version, version) >= 0, why),
    before: (version, why) => onlyIf(compareVersions(subject.version, version) < 0, why),
    unique: (word) => `${word}-${++count}`,
  })
}

function missing(): never {
  throw new Error('the agent is not running yet')
}
