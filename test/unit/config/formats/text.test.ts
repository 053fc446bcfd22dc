import { describe, expect, it } from 'vitest'
import { DocumentProblem } from '../../../../src/config/formats/document.js'
import { textOfBase64, textOfBytes } from '../../../../src/config/formats/text.js'

const MARK = Buffer.from([0xef, 0xbb, 0xbf])

describe.each([
  ['bytes', textOfBytes],
  ['base64', (bytes: Buffer) => textOfBase64(bytes.toString('base64'))],
])('the text of a value of %s', (_how, textOf) => {
  it.each(['', 'plain', 'ü 漢字 😀', 'a\ufeffb', '\ufffd'])('is %j as it was written', (text) => {
    expect(textOf(Buffer.from(text))).toBe(text)
  })

  it.each(['', 'a=1', 'ü'])('is %j without the byte order mark before it', (text) => {
    expect(textOf(Buffer.concat([MARK, Buffer.from(text)]))).toBe(text)
  })

  it('loses only one mark', () => {
    expect(textOf(Buffer.concat([MARK, MARK]))).toBe('\ufeff')
  })

  it.each<[string, Buffer]>([
    ['UTF-16 with a mark', Buffer.from('\ufeffa=1', 'utf16le')],
    ['UTF-16 without one', Buffer.from('a=1', 'utf16le')],
    ['UTF-16, the other way round', Buffer.from('a=1', 'utf16le').swap16()],
    ['latin-1', Buffer.from('café', 'latin1')],
    ['half a character', Buffer.from([0xc3])],
    ['half a surrogate pair', Buffer.from([0xed, 0xa0, 0x80])],
    ['a zero byte', Buffer.from('a\0b')],
  ])('is refused when it is %s', (_what, bytes) => {
    expect(() => textOf(bytes)).toThrow(DocumentProblem)
    expect(() => textOf(bytes)).toThrow(/UTF-8/)
  })
})
