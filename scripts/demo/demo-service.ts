import { spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'
import type { Narrator } from './narrator.js'

const SERVICE = fileURLToPath(new URL('./service.mjs', import.meta.url))

/** What a service tells of itself. */
export type Told =
  | { readonly type: 'registered'; readonly id: string; readonly greeting: string }
  | { readonly type: 'health'; readonly status: string }
  | {
      readonly type: 'peers'
      readonly added: readonly string[]
      readonly removed: readonly string[]
      readonly updated: readonly string[]
      readonly now: readonly string[]
    }
  | { readonly type: 'reconfigured'; readonly greeting: string }
  | { readonly type: 'drained' }
  | { readonly type: 'left'; readonly leftBehind: number }

type ToldOf<Type extends Told['type']> = Extract<Told, { type: Type }>

/** A service of the demo in a process of its own. */
export class DemoService {
  readonly name: string
  readonly #child: ChildProcess
  readonly #narrator: Narrator
  readonly #label: string
  #told: Told[] = []
  #onTold: () => void = () => undefined
  #errors = ''
  id = ''

  constructor(label: string, name: string, watched: string, consulUrl: string, narrator: Narrator) {
    this.name = name
    this.#label = label
    this.#narrator = narrator
    this.#child = spawn(process.execPath, [SERVICE, name, watched], {
      env: { ...process.env, CONSUL_HTTP_ADDR: consulUrl },
      stdio: ['ignore', 'inherit', 'pipe', 'ipc'],
    })
    this.#child.stderr?.on('data', (chunk: Buffer) => (this.#errors += chunk.toString()))
    this.#child.on('message', (message) => {
      const told = message as Told
      if (told.type === 'registered') this.id = told.id
      narrator.say(label, describe(told))
      this.#told.push(told)
      this.#onTold()
    })
    this.#child.on('exit', () => this.#onTold())
  }

  get isRunning(): boolean {
    return this.#child.exitCode === null && this.#child.signalCode === null
  }

  /** Waits until the service has told this, from now on or since the last wait. Rejects, naming it, when time is up or the service ends. */
  async toTell<Type extends Told['type']>(
    type: Type,
    what: string,
    matches: (told: ToldOf<Type>) => boolean = () => true,
  ): Promise<ToldOf<Type>> {
    const deadline = setTimeout(() => this.#onTold(), 15_000)
    const giveUpAt = performance.now() + 15_000
    try {
      for (;;) {
        const at = this.#told.findIndex((told) => told.type === type && matches(told as ToldOf<Type>))
        if (at >= 0) {
          const found = this.#told[at] as ToldOf<Type>
          this.#told = this.#told.slice(at + 1)
          return found
        }
        if (performance.now() >= giveUpAt) throw new Error(`${this.#label} did not tell in 15 s: ${what}`)
        if (!this.isRunning) throw new Error(`${this.#label} ended before: ${what}\n${this.#errors}`)
        await new Promise<void>((resolve) => (this.#onTold = resolve))
      }
    } finally {
      clearTimeout(deadline)
    }
  }

  breakDatabase(): void {
    this.#child.send({ type: 'break-database' })
  }

  mendDatabase(): void {
    this.#child.send({ type: 'mend-database' })
  }

  /** Ends it and resolves with the signal by which it ended. */
  async end(signal: 'SIGTERM' | 'SIGKILL'): Promise<NodeJS.Signals | null> {
    if (!this.isRunning) return this.#child.signalCode
    const exited = once(this.#child, 'exit')
    this.#child.kill(signal)
    await exited
    this.#narrator.say(
      this.#label,
      `process ended by ${this.#child.signalCode ?? `exit code ${this.#child.exitCode ?? '?'}`}`,
    )
    return this.#child.signalCode
  }
}

function describe(told: Told): string {
  switch (told.type) {
    case 'registered':
      return `registered as ${told.id}, greeting "${told.greeting}"`
    case 'health':
      return `is ${told.status} now`
    case 'peers':
      return `sees ${told.now.length} peers: ${changes(told)}`
    case 'reconfigured':
      return `greets with "${told.greeting}" now`
    case 'drained':
      return 'has left discovery and drained; closing its server'
    case 'left':
      return told.leftBehind === 0 ? 'left nothing behind' : `left ${told.leftBehind} registrations behind`
  }
}

function changes({ added, removed, updated }: ToldOf<'peers'>): string {
  const parts = [...added.map((id) => `+${id}`), ...removed.map((id) => `-${id}`), ...updated.map((id) => `~${id}`)]
  return parts.length === 0 ? 'none yet' : parts.join(' ')
}
