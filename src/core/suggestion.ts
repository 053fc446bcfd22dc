/** A word that is this far from what was written, in letters added, left out, changed or swapped, is taken for what was meant. */
const FARTHEST = 2

/** The known word that was probably meant, if one is near: the same in other capitals or with a unit at its end, or with a slip or two. */
export function suggestion(word: string, known: readonly string[]): string | undefined {
  const plain = word.toLowerCase()
  const ranked = known.map((candidate) => ({ candidate, far: distance(plain, candidate.toLowerCase()) }))
  const near = ranked.filter(({ candidate, far }) => far <= Math.min(FARTHEST, Math.floor(candidate.length / 3)))
  const [best] = near.sort((a, b) => a.far - b.far)
  if (best !== undefined) return best.candidate
  return known.find((candidate) => {
    const other = candidate.toLowerCase()
    return Math.min(other.length, plain.length) > 3 && (plain.startsWith(other) || other.startsWith(plain))
  })
}

/** ` Did you mean …?`, or nothing. */
export function didYouMean(word: string, known: readonly string[]): string {
  const meant = suggestion(word, known)
  return meant === undefined ? '' : `. Did you mean ${meant}?`
}

/** Letters to add, leave out, change or swap with their neighbour to make one word of the other (optimal string alignment). */
function distance(a: string, b: string): number {
  const rows: number[][] = [Array.from({ length: b.length + 1 }, (_, column) => column)]
  const at = (row: number, column: number): number => rows[row]?.[column] ?? 0
  for (let row = 1; row <= a.length; row += 1) {
    const cells = [row]
    rows.push(cells)
    for (let column = 1; column <= b.length; column += 1) {
      const isSame = a[row - 1] === b[column - 1]
      const isSwap = row > 1 && column > 1 && a[row - 1] === b[column - 2] && a[row - 2] === b[column - 1]
      const change = at(row - 1, column - 1) + (isSame ? 0 : 1)
      const swap = isSwap ? at(row - 2, column - 2) + 1 : Infinity
      cells.push(Math.min(change, swap, at(row - 1, column) + 1, at(row, column - 1) + 1))
    }
  }
  return at(a.length, b.length)
}
