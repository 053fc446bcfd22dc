import { expect, it } from 'vitest'
import { eventually } from '../support/eventually.js'
import { client, consulAgent } from '../support/opened.js'
import { relay } from '../support/relay.js'

const HALF = '\ud83d'

/** Texts of which an agent might store something else; of the first four it does. */
const TEXTS = [
  `a${HALF}b`,
  '\ude00',
  '\ude00\ud83d',
  `\u{1f600}${HALF}`,
  ' blanks at both ends ',
  'control\u0000\t\u007fcharacters',
  'e\u0301',
  '<&>\u2028\ufeff',
]

it('a service with whatever text in its tags, metadata and checks is written once and found right', async () => {
  const agent = await consulAgent()
  const seen = { comparisons: 0, writes: 0 }
  const address = await relay(({ url = '' }) => {
    if (url.startsWith('/v1/agent/checks')) seen.comparisons += 1
    if (url.startsWith('/v1/agent/service/register')) seen.writes += 1
    return agent.url
  })
  const meta = Object.fromEntries(TEXTS.map((text, index) => [`text${index}`, text]))
  const port = { type: 'tcp', address: agent.address } as const
  const registration = await client(address).registerService({
    name: 'odd',
    tags: [...TEXTS, TEXTS[0] ?? ''],
    meta: { ...meta, empty: '' },
    checks: TEXTS.map((text, index) => ({ ...port, id: `check-${index}`, name: `name ${text}`, notes: text })),
  })
  const repaired: unknown[] = []
  registration.on('repaired', ({ fields }) => repaired.push(fields))
  await eventually(() => expect(seen.comparisons).toBeGreaterThan(1), { within: 20_000 })
  await registration.update({ meta: { text: `${HALF}!` } })
  const before = seen.comparisons
  await eventually(() => expect(seen.comparisons).toBeGreaterThan(before + 1), { within: 20_000 })
  expect([repaired, seen.writes]).toEqual([[], 2])
})
