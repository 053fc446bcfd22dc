import { readFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import { TURNS_OF_EVENTS } from '../../../src/core/channels.js'

const page = readFileSync('docs/reference/logging.md', 'utf8')
const rows = [...page.matchAll(/^\| `([\w-]+)`\s*\| (\w+)\s*\| (.*?)\s*\| (.*?)\s*\|$/gm)]

describe('the page of log lines', () => {
  it('has every turn of events, once, and no other', () => {
    expect(rows.map(([, name]) => name).sort()).toEqual(Object.keys(TURNS_OF_EVENTS).sort())
  })

  it('gives the level of each', () => {
    expect(Object.fromEntries(rows.map(([, name, level]) => [name, level]))).toEqual(TURNS_OF_EVENTS)
  })

  it('says of each what has happened', () => {
    for (const [, name, , , meaning] of rows) expect(meaning, name).toMatch(/^[A-Z`].{15,}\.$/)
  })
})
