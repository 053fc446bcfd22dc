/** Consul keeps so many bytes of a check's output, and cuts in the middle of a character. */
export const OUTPUT_LIMIT_BYTES = 4096

/** The longest head of a text with at most so many bytes of UTF-8 that ends at a whole character. */
export function cutBytes(text: string, limit: number): string {
  const bytes = Buffer.from(text)
  if (bytes.length <= limit) return bytes.toString()
  let end = limit
  // Bytes 10xxxxxx continue a character.
  while (end > 0 && ((bytes[end] ?? 0) & 0xc0) === 0x80) end -= 1
  return bytes.subarray(0, end).toString()
}
