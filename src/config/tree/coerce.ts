/** What a number looks like. Others, such as `0x10` and `Infinity`, are words. */
const NUMBER = /^-?\d+(?:\.\d+)?$/

/**
 * The number or boolean that a text of the KV store plainly means, or the text itself. Only what prints back as the same text is a
 * number, so that `1.10`, `2.0`, `007`, `1e3`, `+1` and long ids stay text.
 */
export function coerceText(text: string): string | number | boolean {
  if (text === 'true') return true
  if (text === 'false') return false
  if (!NUMBER.test(text)) return text
  const number = Number(text)
  const isExact = String(number) === text && (!Number.isInteger(number) || Number.isSafeInteger(number))
  return isExact ? number : text
}
