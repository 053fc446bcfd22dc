import { readFileSync, readdirSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { PROCONSUL_ERROR_CODES, ProconsulError, type ProconsulErrorCode } from '../../../src/errors/proconsul-error.js'

const read = (path: string): string => readFileSync(path, 'utf8')
const sources = readdirSync('src', { recursive: true, encoding: 'utf8' }).filter((name) => name.endsWith('.ts'))

describe('the table of errors', () => {
  const rows = new Map(
    [...read('docs/reference/errors.md').matchAll(/^\| `(PROCONSUL_\w+)`\s*\| (yes|no)\s*\|/gm)].map(
      ([, code, retryable]) => [code ?? '', retryable === 'yes'],
    ),
  )

  it('has every code, and no other', () => {
    expect([...rows.keys()].sort()).toEqual(PROCONSUL_ERROR_CODES)
  })

  it('says truly which are retryable', () => {
    for (const [code, retryable] of rows) {
      expect([code, new ProconsulError(code as ProconsulErrorCode, '').retryable]).toEqual([code, retryable])
    }
  })

  it('names no code that nothing raises', () => {
    const raised = sources.filter((name) => !name.endsWith('proconsul-error.ts')).map((name) => read(join('src', name)))
    for (const code of PROCONSUL_ERROR_CODES) {
      expect(
        raised.some((text) => text.includes(`'${code}'`)),
        code,
      ).toBe(true)
    }
  })
})

describe('the table of the client', () => {
  const text = read('docs/reference/client.md')

  it('has every option and every environment variable', () => {
    const options = [
      ...read('src/options/client-options.ts').matchAll(/^ {2}readonly (\w+)\?: .* \| undefined$/gm),
    ].map(([, name]) => name)
    const tls = [...read('src/options/tls-options.ts').matchAll(/^ {2}readonly (\w+)\?: .* \| undefined$/gm)].map(
      ([, name]) => name,
    )
    const variables = read('src/options/environment.ts').match(/(?<![A-Z_])CONSUL_[A-Z_]+/g) ?? []
    expect(options.length).toBeGreaterThan(10)
    expect(tls).toHaveLength(10)
    for (const name of new Set([...options, ...tls, ...variables])) expect(text, name).toContain(`\`${name}\``)
    expect(new Set(variables).size).toBe(13)
  })
})
