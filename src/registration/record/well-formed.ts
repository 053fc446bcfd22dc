import type { ResolvedDefinition } from '../definition/resolve-definition.js'

/**
 * A definition as the agent will give it back. JSON can carry half a surrogate pair, and the agent stores U+FFFD in its place: compared
 * with what was asked for, such a record would differ for ever. Consul 1.8.7 changes no other text of a record: it keeps blanks, control
 * characters, upper and lower case, empty strings and repeated tags.
 */
export function wellFormed(definition: ResolvedDefinition): ResolvedDefinition {
  const { service } = definition
  if (!LONE_SURROGATE.test(JSON.stringify(service))) return definition
  const { address, tags, meta, taggedAddresses, checks } = service
  return {
    ...definition,
    service: {
      ...service,
      address: address && text(address),
      tags: tags?.map(text),
      meta: meta && mapValues(meta, text),
      taggedAddresses: taggedAddresses && mapValues(taggedAddresses, (at) => ({ ...at, address: text(at.address) })),
      checks: checks.map((check) => ({ ...check, name: text(check.name), notes: check.notes && text(check.notes) })),
    },
  }
}

/** `JSON.stringify` escapes halves and nothing else of this range. */
const LONE_SURROGATE = /\\ud[89a-f]/

/** U+FFFD in place of each half. */
function text(value: string): string {
  return Buffer.from(value).toString()
}

function mapValues<T>(map: Readonly<Record<string, T>>, change: (value: T) => T): Readonly<Record<string, T>> {
  return Object.fromEntries(Object.entries(map).map(([key, value]) => [text(key), change(value)]))
}
