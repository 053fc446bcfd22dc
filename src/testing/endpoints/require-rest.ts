import type { ApiRequest } from '../server/api-request.js'
import { Refusal } from '../wire/reply.js'

/**
 * The part of the path that names a thing.
 * @throws Refusal 400 with the given words when it is empty.
 */
export function requireRest(request: ApiRequest, missing: string): string {
  if (request.rest === '') throw new Refusal(400, missing)
  return request.rest
}
