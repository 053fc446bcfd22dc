import type { ResolvedDefinition } from '../definition/resolve-definition.js'

/**
 * A definition as the agent will give it back. JSON can carry half a surrogate pair, and the agent stores U+FFFD in its place: compared
 * with what was asked for, such a record would differ for ever. Consul 1.8.7 changes no other text of a record: it keeps blanks, control
 * characters, upper and lower case, empty strings and repeated tags. Ids, names and addresses are well-formed by their definition.
 */
export function wellFormed(definition: ResolvedDefinition): ResolvedDefinition {
  const { service } = definition
  if (!LONE_SURROGATE.test(JSON.stringify(service))) return definition
  const { tags, meta, checks } = service
  return {
    ...definition,
    service: {
      ...service,
      tags: tags?.map(text),
      meta: meta && Object.fromEntries(Object.entries(meta).map(([key, value]) => [key, text(value)])),
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
