import { orAborted } from '../core/abort.js'
import { systemClock, type Clock } from '../core/clock.js'
import { isProconsulError, ProconsulError } from '../errors/proconsul-error.js'
import type { HttpClient } from '../http/request.js'
import { commonPart, type RequestOptions } from './options.js'
import { objectOf } from './wire.js'

/**
 * What older agents leave out without a word: they answer a read with an option that they do not know as if it had none, so that a
 * watch of one peer would show everything there is. Each feature needs one of these releases or a later one of the same minor version,
 * or a later minor version than the last. The numbers are those of Consul's change log.
 */
const FEATURES = Object.freeze({
  /** https://developer.hashicorp.com/consul/docs/east-west/cluster-peering */
  peer: { name: 'the option `peer`', since: ['1.13.0'] },
  /** Documented before, and without effect until hashicorp/consul#18322. */
  'filter of services': {
    name: 'the option `filter` of a list of all services',
    since: ['1.14.11', '1.15.7', '1.16.3', '1.17.0'],
  },
  /** hashicorp/consul#22769. Older agents refuse the whole registration. */
  ports: { name: 'several `ports` of one service', since: ['1.22.0'] },
} as const satisfies Record<string, { readonly name: string; readonly since: readonly string[] }>)

/** Something that not every version of Consul has. */
export type ConsulFeature = keyof typeof FEATURES

/** An agent that is too old may be replaced by a newer one: it is asked again after this. */
const ASK_AGAIN_MS = 10_000

/** The agent's version, asked once, when something needs it that not every version has. */
export class AgentVersion {
  readonly #http: HttpClient
  readonly #clock: Pick<Clock, 'monotonic'>
  #known: { readonly version: string | undefined; readonly at: number } | undefined
  #asking: Promise<string | undefined> | undefined

  constructor(http: HttpClient, clock: Pick<Clock, 'monotonic'> = systemClock) {
    this.#http = http
    this.#clock = clock
  }

  /**
   * Resolves where the agent has the feature, and where the token may not see its version: then only the agent can tell.
   * @throws ProconsulError `PROCONSUL_UNSUPPORTED`, naming both versions; a failure that may pass, when the agent cannot be asked
   */
  async require(feature: ConsulFeature, options: Pick<RequestOptions, 'token' | 'signal'> = {}): Promise<void> {
    const version = await this.#read(feature, options)
    if (version === undefined || hasFeature(version, feature)) return
    const { name, since } = FEATURES[feature]
    throw new ProconsulError(
      'PROCONSUL_UNSUPPORTED',
      `${name} needs an agent of Consul ${since.join(', ')} or later; this one is ${version} and would ignore or refuse it`,
    )
  }

  async #read(
    feature: ConsulFeature,
    { token, signal }: Pick<RequestOptions, 'token' | 'signal'>,
  ): Promise<string | undefined> {
    const known = this.#known
    if (known !== undefined) {
      const isEnough = known.version !== undefined && hasFeature(known.version, feature)
      if (isEnough || this.#clock.monotonic() - known.at < ASK_AGAIN_MS) return known.version
    }
    this.#asking ??= this.#ask(token).finally(() => {
      this.#asking = undefined
    })
    return signal === undefined ? await this.#asking : await orAborted(signal, this.#asking)
  }

  async #ask(token: string | undefined): Promise<string | undefined> {
    const version = await this.#self(token)
    this.#known = { version, at: this.#clock.monotonic() }
    return version
  }

  async #self(token: string | undefined): Promise<string | undefined> {
    try {
      const answer = await this.#http.request({
        operation: 'agent.self',
        method: 'GET',
        path: '/agent/self',
        idempotent: true,
        ...commonPart({ token }),
      })
      const { Config: config } = objectOf<{ readonly Config?: { readonly Version?: string | null } | null }>(answer)
      return config?.Version ?? undefined
    } catch (error) {
      if (isProconsulError(error) && !error.retryable && error.status !== undefined) return undefined
      throw error
    }
  }
}

/** Whether a version of Consul has a feature. A version that is none, such as that of a build of one's own, counts as new. */
export function hasFeature(version: string, feature: ConsulFeature): boolean {
  const own = numbersOf(version)
  if (own === undefined) return true
  const releases = FEATURES[feature].since.map(numbersOf).filter((release) => release !== undefined)
  return releases.some((release, place) => {
    const isSameMinor = release[0] === own[0] && release[1] === own[1]
    return isSameMinor ? own[2] >= release[2] : place === releases.length - 1 && isLater(own, release)
  })
}

type Numbers = readonly [major: number, minor: number, patch: number]

/** `1.22.0+ent`, `v1.8.7`, `1.9.0-beta1`: a release to come counts as that release. */
function numbersOf(version: string): Numbers | undefined {
  const [, major, minor, patch] = /^v?(\d+)\.(\d+)(?:\.(\d+))?/.exec(version) ?? []
  return major === undefined || minor === undefined ? undefined : [Number(major), Number(minor), Number(patch ?? 0)]
}

function isLater([major, minor]: Numbers, [otherMajor, otherMinor]: Numbers): boolean {
  return major > otherMajor || (major === otherMajor && minor > otherMinor)
}
