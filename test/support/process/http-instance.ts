import { fork, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'

/** An HTTP server in a process of its own. */
export class HttpInstance implements AsyncDisposable {
  readonly port: number
  readonly #child: ChildProcess
  readonly #exited: Promise<unknown>

  private constructor(child: ChildProcess, port: number) {
    this.#child = child
    this.port = port
    this.#exited = once(child, 'exit')
  }

  /** @param delayMs how long each call takes */
  static async start(delayMs: number): Promise<HttpInstance> {
    const file = fileURLToPath(new URL('./http-instance.mjs', import.meta.url))
    const child = fork(file, [String(delayMs)], { execArgv: [] })
    const [{ port }] = (await once(child, 'message')) as [{ readonly port: number }]
    return new HttpInstance(child, port)
  }

  /** From now on calls take this long. */
  slowDown(delayMs: number): void {
    this.#child.send(delayMs)
  }

  send(signal: NodeJS.Signals): void {
    this.#child.kill(signal)
  }

  /** Sends a signal and waits for the end. */
  async end(signal: NodeJS.Signals): Promise<void> {
    this.send(signal)
    await this.#exited
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#child.exitCode === null && this.#child.signalCode === null) await this.end('SIGKILL')
  }
}
