import { expect, it } from 'vitest'
import { mapInSlices } from '../../../src/core/map-in-slices.js'

it('maps a list of any length, in order', async () => {
  for (const length of [0, 1, 500, 501, 1_700]) {
    const items = Array.from({ length }, (_, index) => index)
    expect(await mapInSlices(items, (item) => item * 2)).toEqual(items.map((item) => item * 2))
  }
})

it('lets other work have its turn while it maps a long list', async () => {
  let turns = 0
  const other = setInterval(() => (turns += 1), 0)
  const busy = (): void => {
    for (const end = performance.now() + 0.01; performance.now() < end;);
  }
  await mapInSlices(Array.from({ length: 3_000 }), busy)
  clearInterval(other)
  expect(turns).toBeGreaterThanOrEqual(3)
})
