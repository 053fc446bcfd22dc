/** The examples of how to test a service run as their headers say, on the built package. */
import { spawn } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { describe, expect, test } from 'vitest'

const PROJECT = fileURLToPath(new URL('../..', import.meta.url))

function run(...words: string[]): Promise<{ code: number | null; output: string }> {
  // A test runner inside a test runner must not take itself for a worker of the outer one.
  const env = Object.fromEntries(Object.entries(process.env).filter(([name]) => !/^(?:VITEST|NODE_TEST)/.test(name)))
  return new Promise((resolve, reject) => {
    const child = spawn(process.execPath, words, { cwd: PROJECT, env })
    const chunks: Buffer[] = []
    for (const stream of [child.stdout, child.stderr]) stream.on('data', (chunk: Buffer) => chunks.push(chunk))
    child.once('error', reject)
    child.once('close', (code) => resolve({ code, output: Buffer.concat(chunks).toString('utf8') }))
  })
}

describe('the examples of testing a service', () => {
  test('pass with node:test', async () => {
    const { code, output } = await run('examples/testing/node-test.mjs')
    expect(output).toMatch(/pass 3/)
    expect(code).toBe(0)
  })

  test('pass with vitest, and in the style of Jest', async () => {
    const { code, output } = await run('node_modules/vitest/vitest.mjs', 'run', '--root', 'examples/testing')
    expect(output).toMatch(/Tests .*6 passed/)
    expect(code).toBe(0)
  })
})
