import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { main } from '../../src/cli/main.js'
import { configClient, type ConfigClient } from '../support/config-client.js'
import { startConsul, type ConsulAgent } from '../support/consul-agent.js'

let agent: ConsulAgent
let client: ConfigClient
let folder: string
let root: string
let count = 0

beforeAll(async () => {
  agent = await startConsul()
  client = configClient({ address: agent.url })
  folder = await mkdtemp(join(tmpdir(), 'proconsul-cli-'))
})

afterAll(async () => {
  await client[Symbol.asyncDispose]()
  await agent.close()
  await rm(folder, { recursive: true })
})

beforeEach(() => {
  root = `cli-${++count}`
})

interface Ran {
  readonly code: number
  readonly out: string
  readonly err: string
}

async function run(args: string, input = ''): Promise<Ran> {
  const out: string[] = []
  const err: string[] = []
  const words = [
    ...args.split(' ').filter((word) => word !== ''),
    ...(args.startsWith('config ') ? ['--address', agent.url] : []),
  ]
  const code = await main(words, {
    out: (text) => out.push(text),
    err: (text) => err.push(text),
    readInput: () => Promise.resolve(input),
  })
  return { code, out: out.join('\n'), err: err.join('\n') }
}

async function file(name: string, content: string): Promise<string> {
  const path = join(folder, `${root}-${name}`)
  await writeFile(path, content)
  return path
}

describe('proconsul config', () => {
  it('renders what a service gets, with origins and without secrets', async () => {
    await client.kv.set(`${root}/base/db/host`, 'a')
    await client.kv.set(`${root}/own/db/password`, 'hunter2')
    const layers = `--layer ${root}/base --layer ${root}/own --secret db.password`
    const text = await run(`config render ${layers}`)
    expect(text.code).toBe(0)
    expect(text.out).toMatch(
      new RegExp(`^db.host = "a"  # ${root}/base/db/host @\\d+\ndb.password = "\\[secret\\]"  # `),
    )
    const json = JSON.parse((await run(`config render ${layers} --json`)).out) as { values: unknown[] }
    expect(json.values).toMatchObject([{ path: 'db.host', value: 'a', layer: `${root}/base` }, { value: '[secret]' }])
  })

  it('renders the layers of an application', async () => {
    await client.kv.set(`${root}/orders,prod/a`, '1')
    expect((await run(`config render --application orders --profile prod --prefix ${root}`)).out).toMatch(/^a = "1"/)
  })

  it('validates by a schema in a file, and says so by its exit code', async () => {
    const schema = await file(
      'schema.mjs',
      'export default (tree) => { if (!(Number(tree.port) > 0)) throw new Error("port must be positive"); return tree }',
    )
    await client.kv.set(`${root}/port`, '80')
    expect(await run(`config validate --layer ${root} --schema ${schema}`)).toMatchObject({ code: 0 })
    await client.kv.set(`${root}/port`, 'x')
    const invalid = await run(`config validate --layer ${root} --schema ${schema}`)
    expect(invalid).toMatchObject({ code: 1, out: '' })
    expect(invalid.err).toContain('port must be positive')
    expect(JSON.parse((await run(`config validate --layer ${root} --schema ${schema} --json`)).out)).toMatchObject({
      valid: false,
    })
  })

  it('shows a difference, imports it, and then shows none', async () => {
    const tree = await file('tree.yaml', 'db:\n  host: b\n  ports: [1, 2]\n')
    await client.kv.set(`${root}/db/host`, 'a')
    await client.kv.set(`${root}/old`, 'x')
    const difference = await run(`config diff ${tree} --folder ${root}`)
    expect(difference.code).toBe(1)
    expect(difference.out.split('\n')).toEqual([
      `+ ${root}/db/ports/0`,
      `+ ${root}/db/ports/1`,
      `~ ${root}/db/host`,
      `- ${root}/old`,
      '2 created, 1 updated, 1 deleted, 0 unchanged',
    ])
    expect((await run(`config import ${tree} --folder ${root} --prune --dry-run`)).code).toBe(0)
    expect((await client.kv.get(`${root}/db/host`))?.value).toBe('a')
    expect((await run(`config import ${tree} --folder ${root} --prune`)).code).toBe(0)
    expect(await client.kv.keys(`${root}/`)).toEqual([`${root}/db/host`, `${root}/db/ports/0`, `${root}/db/ports/1`])
    expect((await run(`config diff ${tree} --folder ${root} --json`)).code).toBe(0)
  })

  it('exports a folder so that an import brings it back, bytes and flags and all', async () => {
    await client.kv.set(`${root}/bytes`, new Uint8Array([0, 255]), { flags: 2n ** 64n - 1n })
    await client.kv.set(`${root}/text`, 'ü')
    const { out } = await run(`config export --folder ${root}`)
    await client.kv.deleteTree(`${root}/`)
    expect((await run(`config import - --folder ${root}`, out)).code).toBe(0)
    expect(await client.kv.get(`${root}/bytes`, { encoding: 'buffer' })).toMatchObject({
      value: Buffer.from([0, 255]),
      flags: 2n ** 64n - 1n,
    })
    expect((await client.kv.get(`${root}/text`))?.value).toBe('ü')
    expect((await run(`config export --folder ${root}/nothing`)).out).toBe('[]')
  })

  it.each([
    ['', 2, /which command\? One of config/],
    ['bogus', 2, /no command "bogus"/],
    ['config', 2, /which command/],
    ['config bogus', 2, /no command "bogus"/],
    ['config render', 2, /--layer/],
    ['config render --layer a --bogus', 2, /bogus/],
    ['config render --layer a extra', 2, /what is "extra"/],
    ['config render --layer /a', 2, /layers\[0\]/],
    ['config render --layer a --format xml', 2, /--format/],
    ['config render --layer a --timeout soon', 2, /--timeout/],
    ['config validate --layer a', 2, /--schema is missing/],
    ['config validate --layer a --schema /nope.mjs', 2, /cannot be loaded/],
    ['config diff', 2, /expected one FILE/],
    ['config diff /nope.json --folder a', 2, /cannot be read/],
    ['config diff README.md --folder a', 2, /must end in/],
    ['config export', 2, /--folder is missing/],
    ['config export --folder a --timeout nonsense', 2, /--timeout is "nonsense"/],
    ['config import x.json --folder a --timeout 0', 2, /--timeout/],
    ['config diff x.json --folder a --timeout 5', 2, /--timeout/],
    ['config export --folder a --prune', 2, /takes no --prune/],
    ['config render --layer a --folder a', 2, /takes no --folder/],
    ['config diff x.json --folder a --dry-run', 2, /takes no --dry-run/],
    ['config render --layre a', 2, /Unknown option '--layre'. Did you mean layer\?/],
    ['config rendr', 2, /no command "rendr". Did you mean render\?/],
    ['config render --layer nothing-here --timeout 200ms', 3, /nothing is stored/],
  ])('%j ends with %i and says why', async (args, code, message) => {
    const ran = await run(args)
    expect(ran.code).toBe(code)
    expect(ran.out + ran.err).toMatch(message)
  })

  it('says what is wrong in the last lines, and does not bury it under the usage', async () => {
    const { err } = await run('config render --layer a --bogus')
    expect(err.split('\n').length).toBeLessThan(4)
    expect(err).toMatch(/^proconsul config: .*bogus.*\n`proconsul config --help` tells more\.$/)
  })

  it.each(['render', 'validate'])(
    'does not %s an application that holds nothing, and says what was meant',
    async (name) => {
      const schema = await file('any.mjs', 'export default (tree) => tree')
      await client.kv.import(root, { 'application/shared': '1', 'orders/a': '1' })
      const args = `--prefix ${root} ${name === 'validate' ? `--schema ${schema}` : ''}`
      const typo = await run(`config ${name} --application oders ${args}`)
      expect(typo.code).toBe(1)
      expect(typo.out).toBe('')
      expect(typo.err).toBe(`nothing is stored under "${root}/oders". Did you mean ${root}/orders?`)
      const good = await run(`config ${name} --application orders --profile prod ${args}`)
      expect(good.code).toBe(0)
      expect(good.err).toBe(`nothing is stored under "${root}/application,prod" and "${root}/orders,prod"`)
    },
  )

  it('renders no optional layers of which none holds anything', async () => {
    const { code, out, err } = await run(`config render --layer ${root}/a --layer ${root}/b --optional`)
    expect(code).toBe(1)
    expect(out).toBe('')
    expect(err).toContain(`nothing is stored under "${root}/a" and "${root}/b"`)
  })

  it('stores what a file says, letter by letter, and then finds no difference', async () => {
    const tree = await file('written.yaml', 'version: 1.10\nid: 0012345678\nbig: 9007199254740993\non: 2026-11-28\n')
    const imported = await run(`config import ${tree} --folder ${root}`)
    expect(imported.code).toBe(0)
    const stored = await client.kv.list(`${root}/`)
    expect(Object.fromEntries(stored.map(({ key, value }) => [key.slice(root.length + 1), value]))).toEqual({
      version: '1.10',
      id: '0012345678',
      big: '9007199254740993',
      on: '2026-11-28',
    })
    expect((await run(`config diff ${tree} --folder ${root}`)).code).toBe(0)
    expect((await run(`config render --layer ${root} --coerce`)).out).toContain('version = "1.10"')
  })

  it.each<[string, string, RegExp]>([
    ['infinite.json', '{"a": 1E400}', /infinite\.json: a is Infinity/],
    ['twice.json', '{"a/b": 1, "a": {"b": 2}}', /a\.b is there twice/],
    ['empty.yaml', 'a: {}', /a is an empty object/],
    ['blank.json', '{"a ": 1}', /without spaces at its ends/],
    ['dots.json', '{"a/../b": 1}', /"\."/],
  ])('gives one answer to %s in a dry run, a run and a difference', async (name, content, message) => {
    const path = await file(name, content)
    for (const command of ['import', 'import --dry-run', 'diff']) {
      const [verb = '', ...flags] = command.split(' ')
      const { code, err } = await run(`config ${verb} ${path} --folder ${root} ${flags.join(' ')}`)
      expect(code).toBe(2)
      expect(err).toMatch(message)
    }
    expect(await client.kv.keys(`${root}/`)).toEqual([])
  })

  it('says where an input is not what it should be', async () => {
    expect((await run(`config import - --folder ${root}`, '{\n"a": }')).err).toMatch(/-:2:6 is not JSON/)
    expect((await run(`config import - --folder ${root}`, '[{"key": 1}]')).err).toMatch(/-\[0\] is not \{ key/)
    expect((await run(`config import - --folder ${root}`, '[{"key":"other/x","value":""}]')).err).toMatch(
      /a key within/,
    )
    expect((await run('--help')).code).toBe(0)
    expect((await run('config --help')).out).toMatch(/^usage: proconsul config render/)
  })
})
