import { didYouMean } from '../core/suggestion.js'
import { thrownText } from '../core/thrown.js'
import { UsageError } from './command.js'

/** What is wrong with the flags that `parseArgs` of `node:util` has refused, in one sentence, with the flag that was probably meant. */
export function flagError(error: unknown, flags: readonly string[]): UsageError {
  const message = thrownText(error)
  const [, unknown] = /^Unknown option '(--?[^']*)'/.exec(message) ?? []
  if (unknown === undefined) return new UsageError(message)
  const known = flags.map((flag) => `--${flag}`)
  return new UsageError(`Unknown option '${unknown}'${didYouMean(unknown, known)}`)
}
