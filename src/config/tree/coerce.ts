/**
 * The number or boolean that a text of the KV store plainly means, or the text itself. Only what turns back into the same text is a
 * number, so that `007`, `1e999`, `+1` and long ids stay text.
 */
export function coerceText(text: string): string | number | boolean {
  if (text === 'true') return true
  if (text === 'false') return false
  if (!/^-?(?:0|[1-9]\d*)(?:\.\d+)?$/.test(text)) return text
  const number = Number(text)
  const isExact = text.includes('.') ? text.replace('-', '').length <= 16 : Number.isSafeInteger(number)
  return isExact && !Object.is(number, -0) ? number : text
}
