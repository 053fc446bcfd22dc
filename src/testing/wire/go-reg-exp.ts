/** A regular expression that Go refuses, in its words. */
export class GoRegExpError extends Error {
  override readonly name = 'GoRegExpError'
}

/** What JavaScript says of an expression, and how Go says it; `$` stands for the expression. */
const REASONS: readonly (readonly [said: RegExp, inGo: string])[] = [
  [/unterminated group/i, 'missing closing ): `$`'],
  [/unmatched '\)'/i, 'unexpected ): `$`'],
  [/unterminated character class|lone quantifier brackets/i, 'missing closing ]: `$`'],
  [/nothing to repeat/i, 'missing argument to repetition operator: `$`'],
]

/**
 * Go's expressions are nearly JavaScript's; what only one of them knows is refused by the one that reads it.
 * @throws GoRegExpError
 */
export function compileGoRegExp(source: string): RegExp {
  try {
    return new RegExp(source, 'u')
  } catch (error) {
    const said = error instanceof Error ? error.message.replace(source, '') : ''
    const [, inGo = 'invalid syntax: `$`'] = REASONS.find(([pattern]) => pattern.test(said)) ?? []
    throw new GoRegExpError(`error parsing regexp: ${inGo.replace('$', () => source)}`)
  }
}
