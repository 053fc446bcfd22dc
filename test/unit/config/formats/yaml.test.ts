import { describe, expect, it } from 'vitest'
import { DocumentProblem } from '../../../../src/config/formats/document.js'
import { loadYaml, loadYamlAsWritten } from '../../../../src/config/formats/yaml.js'

const parse = await loadYaml()
const parseAsWritten = await loadYamlAsWritten()

describe('the yaml format', () => {
  it.each<[string, string, unknown]>([
    [
      'objects, lists and scalars',
      'a: 1\nb: [x, true, null]\nc:\n  d: "2"',
      { a: 1, b: ['x', true, null], c: { d: '2' } },
    ],
    ['an empty document', '', {}],
    ['a document of comments', '# nothing', {}],
    ['a document that is null', '~', {}],
    ['a document that only begins', '---\n', {}],
    ['aliases and merge keys', 'a: &x {k: 1}\nb:\n  <<: *x\n  l: 2', { a: { k: 1 }, b: { k: 1, l: 2 } }],
    ['words that only YAML 1.1 took for booleans', 'a: yes\nb: on', { a: 'yes', b: 'on' }],
    ['dates as text', 'a: 2020-01-01', { a: '2020-01-01' }],
    ['names that are numbers', '1: a', { 1: 'a' }],
  ])('reads %s', (_name, text, tree) => {
    expect(parse(text, 'key')).toEqual(tree)
  })

  it.each<[string, string, object]>([
    ['bad indentation', 'a: 1\n b: hunter2\n', { line: 1 }],
    ['a name given twice', 'a: 1\nb: 2\na: hunter2', { line: 3 }],
    ['an open bracket', 'a: [1, hunter2', { line: 1 }],
    ['several documents', 'a: 1\n---\nb: hunter2', { line: 2 }],
    ['a tab', 'a:\n\tb: hunter2', { line: 2 }],
  ])('says where %s is, and does not quote it', (_name, text, position) => {
    const problem = problemOf(text)
    expect(problem.message).not.toContain('hunter2')
    expect(problem.position).toMatchObject(position)
  })

  it.each([
    ['an alias without its anchor', 'a: *hunter2'],
    [
      'a bomb of aliases',
      `a: &a [x,x,x,x,x,x,x,x,x]\n${['b', 'c', 'd', 'e', 'f', 'g', 'h'].map((name, at) => `${name}: &${name} [${Array.from({ length: 9 }, () => `*${'abcdefgh'.charAt(at)}`).join(',')}]`).join('\n')}`,
    ],
    ['a cycle of aliases', 'a: &a [*a]'],
    ['a type of a program', 'a: !!binary aGk='],
    ['infinity', 'a: .inf'],
    ['a list as a name within __proto__', '__proto__: {x: 1}'],
  ])('refuses %s', (_name, text) => {
    expect(() => parse(text, 'key')).toThrow()
    expect(({} as { x?: number }).x).toBeUndefined()
  })
})

describe('yaml as it is written', () => {
  it.each<[string, string, unknown]>([
    ['a version', 'version: 1.10', { version: '1.10' }],
    ['leading zeros', 'id: 0012345678', { id: '0012345678' }],
    ['more digits than a number holds', 'id: 9007199254740993', { id: '9007199254740993' }],
    ['a date', 'on: 2026-11-28', { on: '2026-11-28' }],
    ['words in capitals', 'a: True\nb: 0x1F\nc: 1e3', { a: 'True', b: '0x1F', c: '1e3' }],
    ['texts in quotes and blocks', 'a: "1.10"\nb: |\n  x\n  y', { a: '1.10', b: 'x\ny\n' }],
    ['names that are numbers', '1.10: a\n007: b', { '1.10': 'a', '007': 'b' }],
    ['lists', 'a: [1.0, x]', { a: ['1.0', 'x'] }],
    [
      'aliases and merge keys',
      'a: &x {k: 1.0}\nb:\n  <<: *x\n  l: 2.0',
      { a: { k: '1.0' }, b: { k: '1.0', l: '2.0' } },
    ],
    ['nothing', '# nothing', {}],
  ])('keeps %s', (_name, text, tree) => {
    expect(parseAsWritten(text, 'key')).toEqual(tree)
  })

  it.each<[string, string, RegExp]>([
    ['null', 'a: ~', /is null/],
    ['a name without a value', 'a:', /is null/],
    ['an empty list', 'a: []', /is an empty list/],
    ['an empty object', 'a: {b: {}}', /is an empty object/],
    ['more than a number can be', 'a: 1E400', /is Infinity/],
    ['infinity', 'a: .inf', /is Infinity/],
    ['no number', 'a: .nan', /is NaN/],
    ['one name in two spellings', '"1": a\n1: b', /is not YAML/],
    ['what is not YAML', 'a: [', /is not YAML/],
  ])('refuses %s', (_name, text, message) => {
    expect(() => parseAsWritten(text, 'key')).toThrow(message)
  })
})

function problemOf(text: string): DocumentProblem {
  try {
    parse(text, 'key')
  } catch (error) {
    if (error instanceof DocumentProblem) return error
  }
  throw new Error('there is no problem')
}
