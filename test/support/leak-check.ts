import { createHook, type AsyncHook } from 'node:async_hooks'
import { eventually } from './eventually.js'

/** What can keep a process alive or hold a connection: timers, sockets, listeners, pipes, child processes, signal handlers, threads. */
const WATCHED = new Set([
  'Timeout',
  'TCPWRAP',
  'TCPSERVERWRAP',
  'TLSWRAP',
  'PIPEWRAP',
  'PIPESERVERWRAP',
  'UDPWRAP',
  'PROCESSWRAP',
  'SIGNALWRAP',
  'WORKER',
  'FSEVENTWRAP',
  'STATWATCHER',
])
/** The runner has timers of its own, for the time-out of a test and for its messages to the main process. */
const RUNNER = /node_modules\/(?:vitest|@vitest|tinypool|birpc|tinyspy)\//
const STACK_DEPTH = 40
const SHOWN_FRAMES = 12

/**
 * Sees every timer, socket, listener and the like that is made while it is open, also those that are unref'd and so invisible to
 * `process.getActiveResourcesInfo`. Open it before the thing under test is made, and assert after that is closed.
 */
export class LeakCheck implements Disposable {
  readonly #open = new Map<number, { readonly type: string; readonly stack: string }>()
  readonly #hook: AsyncHook

  constructor() {
    this.#hook = createHook({
      init: (id, type) => {
        if (!WATCHED.has(type)) return
        const stack = captureStack()
        const maker = stack.split('\n').find((frame) => !/\(?node:/.test(frame)) ?? ''
        if (!RUNNER.test(maker)) this.#open.set(id, { type, stack })
      },
      destroy: (id) => void this.#open.delete(id),
    }).enable()
  }

  /** Resolves once everything made since the check was opened is gone. Rejects with what is left and where it was made. */
  async assertNone({ within = 2_000 }: { readonly within?: number } = {}): Promise<void> {
    // What the waiting itself makes is not to be found.
    this.#hook.disable()
    const afterwards = createHook({ destroy: (id) => void this.#open.delete(id) }).enable()
    try {
      await eventually(
        () => {
          if (this.#open.size > 0) throw new Error(this.#describe())
        },
        { within },
      )
    } finally {
      afterwards.disable()
    }
  }

  [Symbol.dispose](): void {
    this.#hook.disable()
    this.#open.clear()
  }

  #describe(): string {
    const left = [...this.#open.values()].map(({ type, stack }) => `${type} made\n${stack}`)
    return `${left.length} left open:\n${left.join('\n')}`
  }
}

/** Runs `body` and asserts that nothing made in it is left open. A failure of `body` itself comes first. */
export async function expectNoLeaks(body: () => Promise<void>, options?: { readonly within?: number }): Promise<void> {
  using check = new LeakCheck()
  await body()
  await check.assertNone(options)
}

function captureStack(): string {
  const { stackTraceLimit } = Error
  Error.stackTraceLimit = STACK_DEPTH
  const stack = new Error().stack ?? ''
  Error.stackTraceLimit = stackTraceLimit
  const frames = stack.split('\n').slice(3)
  return frames
    .filter((frame) => !frame.includes('node:internal/async_hooks'))
    .slice(0, SHOWN_FRAMES)
    .join('\n')
}
