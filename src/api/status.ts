import type { HttpClient } from '../http/request.js'
import { knownOptions, REQUEST_OPTIONS, type RequestOptions } from './options.js'
import { read } from './send.js'
import { listOf, stringOf } from './wire.js'

/** The cluster as the agent sees it (https://developer.hashicorp.com/consul/api-docs/status). Needs no token. */
export class StatusApi {
  readonly #http: HttpClient

  constructor(http: HttpClient) {
    this.#http = http
  }

  /** Address (`host:port`) of the Raft leader; undefined while there is none. */
  async leader(options: RequestOptions = {}): Promise<string | undefined> {
    const leader = stringOf(
      await read(
        this.#http,
        'status.leader',
        '/status/leader',
        knownOptions('status.leader', options, REQUEST_OPTIONS),
      ),
    )
    return leader === '' ? undefined : leader
  }

  /** Addresses (`host:port`) of the Raft peers. */
  async peers(options: RequestOptions = {}): Promise<readonly string[]> {
    return listOf<string>(
      await read(this.#http, 'status.peers', '/status/peers', knownOptions('status.peers', options, REQUEST_OPTIONS)),
    )
  }
}
