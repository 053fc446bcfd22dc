/** Lists up to this long are mapped at once: a millisecond or two of the event loop. */
const SLICE = 500

/**
 * `items.map(map)`, without keeping the event loop busy for long: a long list is mapped in slices, and other work gets its turn before
 * each.
 */
export async function mapInSlices<Item, Result>(
  items: readonly Item[],
  map: (item: Item) => Result,
): Promise<readonly Result[]> {
  if (items.length <= SLICE) return items.map(map)
  const results: Result[] = []
  for (let start = 0; start < items.length; start += SLICE) {
    await new Promise<void>((resolve) => setImmediate(resolve))
    for (const item of items.slice(start, start + SLICE)) results.push(map(item))
  }
  return results
}
