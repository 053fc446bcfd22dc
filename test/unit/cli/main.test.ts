import { readFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import { main } from '../../../src/cli/main.js'

async function run(...words: string[]): Promise<{ code: number; out: string; err: string }> {
  const [out, err]: [string[], string[]] = [[], []]
  const code = await main(words, {
    out: (text) => out.push(text),
    err: (text) => err.push(text),
    readInput: () => Promise.resolve(''),
  })
  return { code, out: out.join('\n'), err: err.join('\n') }
}

const { version } = JSON.parse(readFileSync('package.json', 'utf8')) as { version: string }

describe('the command', () => {
  it.each(['--version', '-v', 'version'])('%s prints the version of the package, and nothing else', async (word) => {
    expect(await run(word)).toEqual({ code: 0, out: version, err: '' })
  })

  it.each(['--help', '-h', 'help'])('%s tells of every command', async (word) => {
    const { code, out, err } = await run(word)
    expect(code).toBe(0)
    expect(out).toMatch(/^usage: proconsul <command>[^]*\n {2}config {4}[^]*\n {2}dev {7}/)
    expect(err).toBe('')
  })

  it.each([
    ['config', '--help'],
    ['config', '-h'],
    ['config', 'render', '--help'],
    ['dev', '-h'],
    ['dev', '--port', '0', '--help'],
  ])('%s %s tells what the command takes', async (...words: readonly string[]) => {
    const { code, out, err } = await run(...words)
    expect(code).toBe(0)
    expect(out).toContain(`usage: proconsul ${words[0]}`)
    expect(err).toBe('')
  })

  it.each<[string[], string]>([
    [[], 'proconsul: which command? One of config, dev'],
    [['confg'], 'proconsul: there is no command "confg". Did you mean config?'],
    [['xyz'], 'proconsul: there is no command "xyz"'],
    [['toString'], 'proconsul: there is no command "toString"'],
    [['--bogus'], 'proconsul: there is no command "--bogus"'],
    [['dev', '--sed', 'x.json'], "proconsul dev: Unknown option '--sed'. Did you mean --seed?"],
    [['dev', '--prot=1'], "proconsul dev: Unknown option '--prot'. Did you mean --port?"],
    [['dev', '--zzzzzz'], "proconsul dev: Unknown option '--zzzzzz'"],
    [['dev', '-p', '1'], "proconsul dev: Unknown option '-p'"],
    [['dev', 'file'], "proconsul dev: Unexpected argument 'file'."],
    [['dev', '--port', 'x'], 'proconsul dev: port is NaN'],
    [['config'], 'proconsul config: which command?'],
  ])('%j is used wrongly: the message comes first, and the usage only on request', async (words, message) => {
    const { code, out, err } = await run(...words)
    expect(code).toBe(2)
    expect(out).toBe('')
    expect(err.split('\n')[0]).toContain(message)
    expect(err.split('\n').length).toBeLessThanOrEqual(2)
  })
})
