/** Hashes that are the same in every process: 31 bits, which need no object, FNV-1a over the text's UTF-16 units, then mixed as MurmurHash3 does at its end. */

/** The hash of a text. */
export function hashText(text: string): number {
  let hash = 0x811c9dc5
  for (let index = 0; index < text.length; index += 1) hash = Math.imul(hash ^ text.charCodeAt(index), 0x01000193)
  return mix(hash)
}

/** Spreads every bit over all of them. From 0 to 2^31 - 1. */
export function mix(value: number): number {
  let hash = value
  hash = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b)
  hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2ae35)
  return (hash ^ (hash >>> 16)) >>> 1
}

/** Another hash for each number, as if the text had been followed by it. */
export function hashWith(hash: number, number: number): number {
  return mix(hash ^ Math.imul(number + 1, 0x9e3779b1))
}
