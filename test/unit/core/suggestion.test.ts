import { describe, expect, it } from 'vitest'
import { didYouMean, suggestion } from '../../../src/core/suggestion.js'

const OPTIONS = ['timeout', 'signal', 'tags', 'health', 'datacenter', 'lossGuard', 'ttl']

describe('a suggestion', () => {
  it.each([
    ['timeot', 'timeout'],
    ['tiemout', 'timeout'],
    ['timeoutt', 'timeout'],
    ['TIMEOUT', 'timeout'],
    ['timeoutMs', 'timeout'],
    ['tag', 'tags'],
    ['lossguard', 'lossGuard'],
    ['ttls', 'ttl'],
  ])('for %s is %s', (written, meant) => {
    expect(suggestion(written, OPTIONS)).toBe(meant)
  })

  it.each(['abort', 'x', '', 'passingOnly', 'tt'])('is not made up: %j', (written) => {
    expect(suggestion(written, ['timeout', 'signal', 'health'])).toBeUndefined()
  })

  it('prefers what is nearest', () => {
    expect(suggestion('changed', ['change', 'charged', 'changer'])).toBe('change')
  })

  it('is a sentence, or nothing', () => {
    expect(didYouMean('timeoutMs', OPTIONS)).toBe('. Did you mean timeout?')
    expect(didYouMean('abort', OPTIONS)).toBe('')
  })
})
