import { isUtf8 } from 'node:buffer'
import { DocumentProblem } from './document.js'

/** Marks the beginning of a text, and its byte order. It is no part of the text (https://www.unicode.org/faq/utf_bom.html). */
const BYTE_ORDER_MARK = '\ufeff'

/** Most values are plain ASCII, which `atob` decodes in a third of the time: that counts for thousands of keys. */
const BEYOND_ASCII = /[\u0080-\u00ff]/

/** The text of a value as it travels. @throws DocumentProblem when it is no text in UTF-8 */
export function textOfBase64(encoded: string): string {
  const bytes = atob(encoded)
  return BEYOND_ASCII.test(bytes) ? textOfBytes(Buffer.from(bytes, 'latin1')) : plainText(bytes)
}

/** The text of bytes, without a byte order mark. @throws DocumentProblem when they are no text in UTF-8 */
export function textOfBytes(bytes: Uint8Array): string {
  if (!isUtf8(bytes)) throw new DocumentProblem('is not text in UTF-8: save it in that encoding')
  const text = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('utf8')
  return plainText(text.startsWith(BYTE_ORDER_MARK) ? text.slice(1) : text)
}

/** UTF-16 of plain letters passes for UTF-8, with a zero byte beside each letter. */
function plainText(text: string): string {
  if (text.includes('\0'))
    throw new DocumentProblem('holds zero bytes, so it is no text in UTF-8: save it in that encoding')
  return text
}
