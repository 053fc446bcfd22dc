import type { QueryValue, Tenancy } from './request.js'

/** What of a request ends up in its query string. */
export interface Queried extends Tenancy {
  readonly query?: Readonly<Record<string, QueryValue>>
}

/** The query string with its question mark, or nothing. Tenancy comes from the request, then from the client. */
export function queryString(request: Queried, client: Tenancy): string {
  const parameters = {
    ...request.query,
    dc: request.datacenter ?? client.datacenter,
    ns: request.namespace ?? client.namespace,
    partition: request.partition ?? client.partition,
  }
  const parts = Object.entries(parameters).flatMap(([name, value]) => encode(name, value))
  return parts.length === 0 ? '' : `?${parts.join('&')}`
}

function encode(name: string, value: QueryValue): string[] {
  if (value === undefined || value === false) return []
  if (value === true) return [name]
  const values = typeof value === 'object' ? value : [String(value)]
  return values.map((entry) => `${name}=${encodeURIComponent(entry)}`)
}
