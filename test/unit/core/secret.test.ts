import { inspect } from 'node:util'
import { expect, it } from 'vitest'
import { Secret } from '../../../src/core/secret.js'

it('shows nothing of its value, however it is printed', () => {
  const secret = new Secret('hunter2')
  const shown = [
    String(secret),
    secret.toString(),
    inspect({ secret }, { depth: 9, showHidden: true }),
    JSON.stringify({ secret }),
  ]
  for (const text of shown) expect(text).not.toContain('hunter2')
  expect(secret.reveal()).toBe('hunter2')
})

it('takes its value out of a text, as it is and encoded for a URL', () => {
  const secret = new Secret('a b/c')
  expect(secret.redact('token=a%20b%2Fc or a b/c')).toBe('token=[secret] or [secret]')
  expect(new Secret('').redact('unchanged')).toBe('unchanged')
})
