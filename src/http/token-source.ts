import { readFile, stat } from 'node:fs/promises'
import { inThisContext } from '../core/async-context.js'
import type { Runtime } from '../core/runtime.js'
import { Secret } from '../core/secret.js'
import { invalidOption, SECRET_VALUE } from '../errors/invalid-option.js'
import { ProconsulError } from '../errors/proconsul-error.js'
import { Credential, type CredentialOrigin } from './credential.js'
import { fileVersion } from './file-version.js'

/** Yields the current token. The signal is aborted when nobody waits any more: after five seconds, and when the client is closed. */
export type TokenFunction = (options: { readonly signal: AbortSignal }) => string | Promise<string>

/** Where the ACL token comes from. */
export type TokenSetting =
  | { readonly type: 'none' }
  | { readonly type: 'value'; readonly secret: Secret }
  /** Read again when the file changes. */
  | { readonly type: 'file'; readonly option: string; readonly path: string }
  /** Asked before requests, at most once a second. */
  | { readonly type: 'function'; readonly read: TokenFunction }

/** A token has no spaces and no characters that a header cannot carry. */
export const TOKEN_FORM = 'a token of visible ASCII characters'

/** The token in a text, without the spaces and line ends around it; undefined when there is something else in it. */
export function tokenIn(text: string): string | undefined {
  const token = text.trim()
  return /^[\x21-\x7e]+$/.test(token) ? token : undefined
}

/** The current ACL token. Tells its listeners when a file or a function yields another one. */
export class TokenSource {
  readonly #fixed: Secret | undefined
  readonly #credential: Credential<Secret> | undefined

  constructor(setting: TokenSetting, runtime: Pick<Runtime, 'clock' | 'logger'>, closed: AbortSignal) {
    if (setting.type === 'value') this.#fixed = setting.secret
    const origin = originOf(setting, () => this.current)
    this.#credential = origin && new Credential(origin, runtime, closed)
  }

  /** The token last seen, without looking again. */
  get current(): Secret | undefined {
    return this.#credential === undefined ? this.#fixed : this.#credential.current
  }

  /** The token to send now. Throws as {@link Credential.get} does. */
  async get(signal: AbortSignal): Promise<Secret | undefined> {
    return this.#credential === undefined ? this.#fixed : await this.#credential.get(signal)
  }

  /** Calls `listener` after the token has changed. Returns a function that stops that. */
  onChange(listener: () => void): () => void {
    return this.#credential?.onChange(listener) ?? (() => undefined)
  }
}

function originOf(setting: TokenSetting, current: () => Secret | undefined): CredentialOrigin<Secret> | undefined {
  if (setting.type === 'file') return new TokenFile(setting.option, setting.path, current)
  if (setting.type !== 'function') return undefined
  const read = inThisContext(setting.read)
  return { label: 'token', look: async (signal) => unlessSame(await ask(read, signal), current) }
}

/** A file that holds the token. */
class TokenFile implements CredentialOrigin<Secret> {
  readonly label: string
  readonly #path: string
  readonly #current: () => Secret | undefined
  #version: string | undefined

  constructor(option: string, path: string, current: () => Secret | undefined) {
    this.label = option
    this.#path = path
    this.#current = current
  }

  async look(): Promise<Secret | undefined> {
    const [version, text] = await this.#read()
    if (text === undefined) return undefined
    if (text.trim() === '') {
      throw new ProconsulError('PROCONSUL_UNAVAILABLE', `${this.#shown} is empty`, { reason: 'without-effect' })
    }
    const token = tokenIn(text)
    if (token === undefined) throw invalidOption(this.label, SECRET_VALUE, `a file that holds ${TOKEN_FORM}`)
    this.#version = version
    return unlessSame(token, this.#current)
  }

  /** The version of the file, and its text where that is another version than before. */
  async #read(): Promise<readonly [version: string, text?: string]> {
    try {
      const version = fileVersion(await stat(this.#path))
      return version === this.#version ? [version] : [version, await readFile(this.#path, 'utf8')]
    } catch (cause) {
      throw new ProconsulError('PROCONSUL_INVALID_OPTION', `${this.#shown} cannot be read`, { cause })
    }
  }

  get #shown(): string {
    return `${this.label} is ${JSON.stringify(this.#path)}, which`
  }
}

/** What the function yields is data: nothing, something empty, and something that is no token each have their own answer. */
async function ask(read: TokenFunction, signal: AbortSignal): Promise<string> {
  let yielded: unknown
  try {
    yielded = await read({ signal })
  } catch {
    // What the function threw may name the secret: it is not passed on.
    throw noToken('failed')
  }
  if (yielded === undefined || yielded === null) throw noToken('yielded none')
  if (typeof yielded !== 'string') throw invalidOption('token', SECRET_VALUE, 'a function that yields a string')
  if (yielded.trim() === '') throw noToken('yielded an empty one')
  const token = tokenIn(yielded)
  if (token === undefined) throw invalidOption('token', SECRET_VALUE, `a function that yields ${TOKEN_FORM}`)
  return token
}

function noToken(what: string): ProconsulError {
  const message = `token: the function that yields the token ${what}`
  return new ProconsulError('PROCONSUL_UNAVAILABLE', message, { reason: 'without-effect' })
}

function unlessSame(token: string, current: () => Secret | undefined): Secret | undefined {
  return token === current()?.reveal() ? undefined : new Secret(token)
}
