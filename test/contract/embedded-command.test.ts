/** The embedded agent at a terminal. */
import { spawn, type ChildProcessWithoutNullStreams } from 'node:child_process'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { eventually } from '../support/eventually.js'
import { WireClient } from './support/wire-client.js'

const BIN = fileURLToPath(new URL('../../src/cli/bin.ts', import.meta.url))

let folder: string
let child: ChildProcessWithoutNullStreams | undefined

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'proconsul-dev-'))
})

afterEach(async () => {
  child?.kill('SIGKILL')
  await rm(folder, { recursive: true, force: true })
})

function run(...words: string[]): { output: () => string; ended: Promise<number | null> } {
  const started = spawn(process.execPath, ['--import', 'tsx', BIN, 'dev', ...words])
  child = started
  let text = ''
  for (const stream of [started.stdout, started.stderr])
    stream.on('data', (chunk: Buffer) => (text += chunk.toString()))
  return { output: () => text, ended: new Promise((resolve) => started.once('close', resolve)) }
}

describe('proconsul dev', () => {
  test('serves a seeded agent, tells of requests, and ends well when it is interrupted', async () => {
    const seed = join(folder, 'seed.json')
    await writeFile(
      seed,
      JSON.stringify({
        services: [{ Name: 'users', Port: 80 }],
        kv: { 'config/a b': 'text', 'config/json': { a: 1 } },
      }),
    )
    const { output, ended } = run('--port', '0', '--consul', '1.8', '--seed', seed)
    const url = await eventually(() => /listens on (\S+)/.exec(output())?.[1] ?? expect.fail('not yet'), {
      within: 25_000,
    })
    const http = new WireClient(() => ({ url }))
    expect((await http.get('/v1/health/service/users')).json()).toHaveLength(1)
    expect((await http.get('/v1/kv/config/a%20b?raw')).text).toBe('text')
    expect((await http.get('/v1/kv/config/json?raw')).json()).toEqual({ a: 1 })
    http.close()
    await eventually(() => expect(output()).toMatch(/GET {4}\/v1\/health\/service\/users 200 [\d.]+ ms/))
    expect(output()).toContain('1 services and 2 keys')
    child?.kill('SIGTERM')
    expect(await ended).toBe(0)
  })

  test.each([
    [['--seed', 'no-such-file.json'], 'no-such-file.json'],
    [['--consul', '2.0'], 'expected 1.8 or 1.22'],
    [['--port', 'x'], 'port is'],
    [['--bogus'], "Unknown option '--bogus'"],
  ])('%j is used wrongly', async (words, text) => {
    const { output, ended } = run(...words)
    expect(await ended).toBe(2)
    expect(output()).toContain(text)
  })

  test('says what of a seed the agent refused', async () => {
    const seed = join(folder, 'seed.json')
    await writeFile(seed, JSON.stringify({ services: [{ Name: 'users', Prot: 80 }] }))
    const { output, ended } = run('--port', '0', '--seed', seed)
    expect(await ended).toBe(2)
    expect(output()).toContain('service "users" was refused: Request decode failed: json: unknown field "Prot"')
  })
})
