/** Comparisons of flat values. */

/** Whether two lists hold the same entries in the same order. */
export function sameList<T>(a: readonly T[], b: readonly T[]): boolean {
  return a.length === b.length && a.every((entry, index) => entry === b[index])
}

/** Whether two lists hold the same entries, in whatever order and however often. */
export function sameSet<T>(a: readonly T[], b: readonly T[]): boolean {
  const [one, other] = [new Set(a), new Set(b)]
  return one.size === other.size && [...one].every((entry) => other.has(entry))
}

/** Whether two maps hold the same entries, by `equals` or by identity. */
export function sameMap<T>(
  a: Readonly<Record<string, T>>,
  b: Readonly<Record<string, T>>,
  equals?: (a: T, b: T) => boolean,
): boolean {
  const keys = Object.keys(a)
  const isSame = (key: string): boolean => {
    if (!Object.hasOwn(b, key)) return false
    const [left, right] = [a[key], b[key]]
    if (left === undefined || right === undefined || equals === undefined) return left === right
    return equals(left, right)
  }
  return keys.length === Object.keys(b).length && keys.every(isSame)
}
