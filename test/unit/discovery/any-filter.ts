import fc from 'fast-check'
import { isProconsulError } from '../../../src/errors/proconsul-error.js'
import { filter, type FilterExpression } from '../../../src/discovery/filter.js'

/** What an expression looks at. */
export interface PlayedInstance {
  readonly tags: readonly string[]
  readonly meta: Readonly<Record<string, string>>
}

/** An expression of the builder, and what it is to say of an instance. */
export interface ModelledFilter {
  readonly make: () => FilterExpression
  readonly finds: (instance: PlayedInstance) => boolean
}

const name = fc.constantFrom('a', 'b', 'c')

const aboutTags = name.map((tag): ModelledFilter[] => [
  { make: () => filter.tags.includes(tag), finds: ({ tags }) => tags.includes(tag) },
  { make: () => filter.tags.excludes(tag), finds: ({ tags }) => !tags.includes(tag) },
])

const aboutMeta = fc.tuple(name, name).map(([key, value]): ModelledFilter[] => [
  { make: () => filter.meta.key(key).equals(value), finds: ({ meta }) => meta[key] === value },
  { make: () => filter.meta.key(key).notEquals(value), finds: ({ meta }) => meta[key] !== value },
  { make: () => filter.meta.key(key).matches(`^${value}$`), finds: ({ meta }) => meta[key] === value },
  { make: () => filter.meta.key(key).notMatches(`^${value}$`), finds: ({ meta }) => meta[key] !== value },
])

const comparison = fc.oneof(aboutTags, aboutMeta).chain((some) => fc.constantFrom(...some))

const all = (parts: readonly ModelledFilter[]): ModelledFilter => ({
  make: () => filter.all(...parts.map((part) => part.make())),
  finds: (instance) => parts.every((part) => part.finds(instance)),
})

const any = (parts: readonly ModelledFilter[]): ModelledFilter => ({
  make: () => filter.any(...parts.map((part) => part.make())),
  finds: (instance) => parts.some((part) => part.finds(instance)),
})

const not = (part: ModelledFilter): ModelledFilter => ({
  make: () => filter.not(part.make()),
  finds: (instance) => !part.finds(instance),
})

/** Any nest of `and`, `or` and `not`. */
export const anyFilter: fc.Arbitrary<ModelledFilter> = fc.letrec<{ nest: ModelledFilter }>((tie) => {
  const some = fc.array(tie('nest'), { minLength: 1, maxLength: 3 })
  return {
    nest: fc.oneof(
      { maxDepth: 5, withCrossShrink: true },
      comparison,
      some.map(all),
      some.map(any),
      tie('nest').map(not),
    ),
  }
}).nest

/** Any instance that such an expression may or may not find. */
export const anyInstance: fc.Arbitrary<PlayedInstance> = fc.record({
  tags: fc.uniqueArray(name),
  meta: fc.dictionary(name, name, { noNullPrototype: true }),
})

/** The expression; undefined for one that would cost Consul too much. */
export function unlessRefused(make: () => FilterExpression): FilterExpression | undefined {
  try {
    return make()
  } catch (error) {
    if (isProconsulError(error, 'PROCONSUL_INVALID_OPTION')) return undefined
    throw error
  }
}
