/** The examples of how to test a service run as their headers say, on the built package, and notice when the service is broken. */
import { spawn } from 'node:child_process'
import { rm } from 'node:fs/promises'
import { join, relative } from 'node:path'
import { fileURLToPath } from 'node:url'
import { describe, expect, test } from 'vitest'
import { afterTest } from '../support/opened.js'
import { BREAKAGES, brokenExamples } from './support/breakages.js'

const PROJECT = fileURLToPath(new URL('../..', import.meta.url))
const FOLDER = 'examples/testing'

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

const withNodeTest = (folder: string) => run(join(folder, 'node-test.mjs'))
/** Two files: with vitest's own functions, and in the style of Jest. A test that waits in vain is not waited for. */
const withVitest = (folder: string) =>
  run('node_modules/vitest/vitest.mjs', 'run', '--root', folder, '--test-timeout', '10000')

/** A whole test runner is started for each, which takes its time on a busy machine. */
const RUNNER = { timeout: 120_000 }

describe('the examples of testing a service', RUNNER, () => {
  test('pass with node:test', async () => {
    const { code, output } = await withNodeTest(FOLDER)
    expect(output).toMatch(/pass 3/)
    expect(code).toBe(0)
  })

  test('pass with vitest, and in the style of Jest', async () => {
    const { code, output } = await withVitest(FOLDER)
    expect(output).toMatch(/Tests .*6 passed/)
    expect(code).toBe(0)
  })
})

describe.each(Object.entries(BREAKAGES))('the examples, of a service that %s', RUNNER, (_what, breakage) => {
  const { noticedBy } = breakage
  const folder = async (): Promise<string> => {
    const path = await brokenExamples(PROJECT, breakage)
    afterTest(() => rm(path, { recursive: true, force: true }))
    return relative(PROJECT, path)
  }

  test('fail with node:test, and only where it counts', async () => {
    const { code, output } = await withNodeTest(await folder())
    expect(output).toMatch(new RegExp(`fail ${noticedBy}\\b`))
    expect(output).toMatch(new RegExp(`pass ${3 - noticedBy}\\b`))
    expect(code).toBe(1)
  })

  test('fail with vitest and in the style of Jest, and only where it counts', async () => {
    const { code, output } = await withVitest(await folder())
    expect(output).toMatch(new RegExp(`Tests .*${2 * noticedBy} failed`))
    if (noticedBy < 3) expect(output).toMatch(new RegExp(`Tests .*${6 - 2 * noticedBy} passed`))
    expect(code).toBe(1)
  })
})
