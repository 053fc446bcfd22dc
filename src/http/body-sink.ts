import type { IncomingMessage } from 'node:http'
import { Writable } from 'node:stream'
import { promisify } from 'node:util'
import { gunzip, gunzipSync } from 'node:zlib'
import { ProconsulError } from '../errors/proconsul-error.js'

const gunzipLater = promisify(gunzip)

/** Below this many compressed bytes, unpacking at once costs less than a trip to the thread pool. */
const UNPACK_AT_ONCE_BYTES = 16 * 1024

/** Each chunk is a trip to the thread pool: with the default of 16 KB a large body makes a hundred of them. */
const UNPACK_CHUNK_BYTES = 256 * 1024

/**
 * Collects the body of one answer. The `consul` package hands the response over only when its body has ended, so this sees it earlier:
 * it refuses a body that is too large while it arrives, and fails at once when the connection ends midway, which otherwise nobody
 * would tell.
 */
export class BodySink extends Writable {
  readonly #operation: string
  readonly #maxBytes: number
  readonly #onFailure: (error: ProconsulError) => void
  readonly #chunks: Buffer[] = []
  #bytes = 0
  #response: IncomingMessage | undefined

  constructor(operation: string, maxBytes: number, onFailure: (error: ProconsulError) => void) {
    super({ decodeStrings: false })
    this.#operation = operation
    this.#maxBytes = maxBytes
    this.#onFailure = onFailure
    this.once('pipe', (response: IncomingMessage) => this.#watch(response))
  }

  override _write(chunk: Buffer, _encoding: BufferEncoding, done: () => void): void {
    this.#bytes += chunk.length
    if (this.#bytes > this.#maxBytes) this.#onFailure(this.#tooLarge())
    else this.#chunks.push(chunk)
    done()
  }

  /** The answer, once its headers have arrived. */
  get response(): IncomingMessage | undefined {
    return this.#response
  }

  /** The whole body, decompressed. */
  async read(): Promise<Buffer> {
    const body = Buffer.concat(this.#chunks)
    if (this.#response?.headers['content-encoding'] !== 'gzip' || body.length === 0) return body
    const limits = { maxOutputLength: this.#maxBytes }
    try {
      return body.length <= UNPACK_AT_ONCE_BYTES
        ? gunzipSync(body, limits)
        : await gunzipLater(body, { ...limits, chunkSize: UNPACK_CHUNK_BYTES })
    } catch (cause) {
      if (cause instanceof RangeError) throw this.#tooLarge()
      throw new ProconsulError(
        'PROCONSUL_BAD_RESPONSE',
        `${this.#operation}: the answer is not the gzip it claims to be`,
        { cause },
      )
    }
  }

  #watch(response: IncomingMessage): void {
    this.#response = response
    response.once('close', () => {
      if (response.complete) return
      this.#onFailure(
        new ProconsulError(
          'PROCONSUL_BAD_RESPONSE',
          `${this.#operation}: the connection ended in the middle of the answer`,
        ),
      )
    })
  }

  #tooLarge(): ProconsulError {
    return new ProconsulError(
      'PROCONSUL_RESPONSE_TOO_LARGE',
      `${this.#operation}: the answer is larger than ${this.#maxBytes} bytes; narrow the query or raise maxResponseBytes`,
    )
  }
}
