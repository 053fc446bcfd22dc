/** The most bytes of output that an agent keeps of a check. */
export const MAX_OUTPUT_BYTES = 4096

/** The head of an output that is too long, with the real agent's note about it. The cut is by bytes and may split a character. */
export function limitOutput(output: string, limitBytes: number): string {
  const bytes = Buffer.from(output, 'utf8')
  if (bytes.length <= limitBytes) return output
  return `${bytes.subarray(0, limitBytes).toString('utf8')} ... (captured ${limitBytes} of ${bytes.length} bytes)`
}
