import { readFile, stat } from 'node:fs/promises'
import type { Clock } from '../core/clock.js'
import { Secret } from '../core/secret.js'
import { invalidOption, SECRET_VALUE } from '../errors/invalid-option.js'
import { ProconsulError } from '../errors/proconsul-error.js'

/** Where the ACL token comes from. */
export type TokenSetting =
  | { readonly type: 'none' }
  | { readonly type: 'value'; readonly secret: Secret }
  /** Read again when the file changes. */
  | { readonly type: 'file'; readonly option: string; readonly path: string }
  /** Asked before requests, at most once a second. */
  | { readonly type: 'function'; readonly read: () => string | Promise<string> }

/** A file is looked at, and a function asked, at most this often. */
const LOOK_AGAIN_MS = 1_000

/** The current ACL token. Tells its listeners when a file or a function yields another one. */
export class TokenSource {
  readonly #setting: TokenSetting
  readonly #clock: Clock
  readonly #listeners = new Set<() => void>()
  #current: Secret | undefined
  #fileVersion = ''
  #lookedAt = -Infinity
  #looking: Promise<void> | undefined

  constructor(setting: TokenSetting, clock: Clock) {
    this.#setting = setting
    this.#clock = clock
    if (setting.type === 'value') this.#current = setting.secret
  }

  /** The token last seen, without looking again. */
  get current(): Secret | undefined {
    return this.#current
  }

  /** The token to send now. */
  async get(): Promise<Secret | undefined> {
    if (this.#setting.type === 'none' || this.#setting.type === 'value') return this.#current
    if (this.#clock.monotonic() - this.#lookedAt >= LOOK_AGAIN_MS) {
      this.#looking ??= this.#look().finally(() => {
        this.#looking = undefined
      })
      await this.#looking
    }
    return this.#current
  }

  /** Calls `listener` after the token has changed. Returns a function that stops that. */
  onChange(listener: () => void): () => void {
    this.#listeners.add(listener)
    return () => this.#listeners.delete(listener)
  }

  async #look(): Promise<void> {
    const token = this.#setting.type === 'file' ? await this.#readFile(this.#setting) : await this.#ask()
    this.#lookedAt = this.#clock.monotonic()
    if (token === undefined || token === this.#current?.reveal()) return
    const isFirst = this.#current === undefined
    this.#current = new Secret(token)
    if (!isFirst) for (const listener of this.#listeners) listener()
  }

  /** The trimmed content, or undefined when the file is as it was. */
  async #readFile({ option, path }: { option: string; path: string }): Promise<string | undefined> {
    try {
      const { mtimeMs, ino, size } = await stat(path)
      const version = `${ino}:${mtimeMs}:${size}`
      if (version === this.#fileVersion) return undefined
      const token = (await readFile(path, 'utf8')).trim()
      this.#fileVersion = version
      return token
    } catch (cause) {
      // A file that is being replaced must not stop the heartbeats: the token known so far goes on.
      if (this.#current !== undefined) return undefined
      throw new ProconsulError(
        'PROCONSUL_INVALID_OPTION',
        `${option} is ${JSON.stringify(path)}, which cannot be read`,
        { cause },
      )
    }
  }

  async #ask(): Promise<string | undefined> {
    if (this.#setting.type !== 'function') return undefined
    let token: unknown
    try {
      token = await this.#setting.read()
    } catch {
      if (this.#current !== undefined) return undefined
      // What the function threw may name the secret: it is not passed on.
      throw new ProconsulError('PROCONSUL_UNAVAILABLE', 'token: the function that yields the token failed')
    }
    if (typeof token !== 'string') throw invalidOption('token', SECRET_VALUE, 'a function that yields a string')
    return token
  }
}
