import { expect, it } from 'vitest'
import { path } from '../../../src/api/path.js'

it('encodes what is put into a path, so that a name stays one segment', () => {
  expect(path`/health/service/${'a/b c?d#e%'}`).toBe('/health/service/a%2Fb%20c%3Fd%23e%25')
  expect(path`/agent/check/${'pass'}/${'service:ü'}`).toBe('/agent/check/pass/service%3A%C3%BC')
})

it.each(['.', '..', 'a\nb', '\u0000', '\u007f', '\ud800'])('refuses %j, which no path can carry', (segment) => {
  expect(() => path`/health/service/${segment}`).toThrow(expect.objectContaining({ code: 'PROCONSUL_INVALID_OPTION' }))
})
