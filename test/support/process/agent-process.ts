import { spawn, type ChildProcess } from 'node:child_process'
import { closeSync, mkdirSync, openSync, rmSync } from 'node:fs'
import { readFile, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { eventually } from '../eventually.js'
import type { AgentHost, AgentSignal } from './running-agent.js'
import { guardChild } from './child-guard.js'

/** Runs an agent as a child process. Its folder holds its data and its log. */
export class AgentProcess implements AgentHost {
  readonly host: string
  readonly clientAddress: string
  readonly dataFolder: string
  readonly #binary: string
  readonly #logFile: string
  #child: ChildProcess | undefined
  #ended: Promise<void> = Promise.resolve()

  constructor(binary: string, folder: string, address: string) {
    this.#binary = binary
    this.host = address
    this.clientAddress = address
    this.dataFolder = join(folder, 'data')
    this.#logFile = join(folder, 'consul.log')
  }

  get pid(): number | undefined {
    return this.#child?.pid
  }

  get isRunning(): boolean {
    return this.#child !== undefined
  }

  async start(args: readonly string[], _ports: readonly number[], keepState: boolean): Promise<void> {
    if (this.#child) throw new Error('the agent is running already')
    if (!keepState) rmSync(this.dataFolder, { recursive: true, force: true })
    mkdirSync(this.dataFolder, { recursive: true })
    const log = openSync(this.#logFile, 'a')
    try {
      // Detached, so that a Ctrl-C in the terminal reaches our own process only: services are to leave while Consul still runs.
      const child = spawn(this.#binary, args, { detached: true, stdio: ['ignore', log, log] })
      child.unref()
      await new Promise<void>((resolve, reject) => child.once('spawn', resolve).once('error', reject))
      const release = child.pid === undefined ? () => undefined : guardChild(child.pid)
      this.#child = child
      this.#ended = new Promise((resolve) => {
        child.once('exit', () => {
          release()
          if (this.#child === child) this.#child = undefined
          resolve()
        })
      })
    } finally {
      closeSync(log)
    }
  }

  async signal(name: AgentSignal): Promise<void> {
    this.#child?.kill(name)
    // On a busy machine its threads go on for a moment after the signal was sent, and would answer what is asked meanwhile.
    if (name === 'SIGSTOP' && process.platform === 'linux') await eventually(() => this.#assertStopped())
  }

  async #assertStopped(): Promise<void> {
    const status = await readFile(`/proc/${this.#child?.pid ?? 0}/status`, 'utf8')
    if (!/^State:\s+T/m.test(status)) throw new Error('it is still running')
  }

  async ended(): Promise<void> {
    // The handle is not to keep a process alive that forgot its agent, yet has to while somebody waits for the end.
    this.#child?.ref()
    await this.#ended
  }

  async logs(): Promise<string> {
    return readFile(this.#logFile, 'utf8').catch(() => '')
  }

  async dispose(): Promise<void> {
    await this.signal('SIGKILL')
    await this.ended()
    await rm(this.dataFolder, { recursive: true, force: true })
  }
}
