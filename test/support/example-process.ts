import { spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { eventually } from './eventually.js'

/** How a process ended. */
export interface Ending {
  readonly code: number | null
  readonly signal: NodeJS.Signals | null
  /** Milliseconds from the call of `end` to the end. */
  readonly tookMs: number
}

/** How to start a program. */
export interface StartOptions {
  /** What stands before the file on the command line of Node.js. */
  readonly nodeOptions?: readonly string[]
  /** Whether it leads a process group of its own, which `sendToGroup` reaches. */
  readonly ownGroup?: boolean
}

/** A program in a process of its own, as a user starts it. */
export class ExampleProcess implements AsyncDisposable {
  readonly #child: ChildProcess
  readonly #exited: Promise<unknown>
  output = ''
  errors = ''

  constructor(
    file: string,
    variables: Readonly<Record<string, string>>,
    { nodeOptions = [], ownGroup = false }: StartOptions = {},
  ) {
    this.#child = spawn(process.execPath, [...nodeOptions, file], {
      detached: ownGroup,
      env: { ...process.env, NODE_DEBUG: '', ...variables },
      stdio: ['ignore', 'pipe', 'pipe'],
    })
    this.#exited = once(this.#child, 'exit')
    this.#child.stdout?.on('data', (chunk: Buffer) => (this.output += chunk.toString()))
    this.#child.stderr?.on('data', (chunk: Buffer) => (this.errors += chunk.toString()))
  }

  /** Waits until the output has this, and returns what the expression's first group matched. */
  async toPrint(pattern: RegExp): Promise<string> {
    return await eventually(
      () => {
        const match = pattern.exec(this.output)
        if (match === null) throw new Error(`${String(pattern)} is not in the output: ${this.output}${this.errors}`)
        return match[1] ?? ''
      },
      { within: 15_000 },
    )
  }

  send(signal: NodeJS.Signals): void {
    this.#child.kill(signal)
  }

  /** Sends the signal to the program and all that it has started, as a terminal does. */
  sendToGroup(signal: NodeJS.Signals): void {
    if (this.#child.pid !== undefined) process.kill(-this.#child.pid, signal)
  }

  /** Sends the signals one after another and waits for the end. */
  async end(...signals: readonly NodeJS.Signals[]): Promise<Ending> {
    const startedAt = performance.now()
    for (const signal of signals) this.send(signal)
    await this.#exited
    const { exitCode: code, signalCode: signal } = this.#child
    return { code, signal, tookMs: performance.now() - startedAt }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#child.exitCode === null && this.#child.signalCode === null) await this.end('SIGKILL')
  }
}
