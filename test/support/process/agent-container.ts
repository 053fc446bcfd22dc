import { getContainerRuntimeClient, GenericContainer, Wait, type StartedTestContainer } from 'testcontainers'
import type { AgentHost, AgentSignal } from './running-agent.js'

const START_WITHIN_MS = 60_000

/** Runs an agent in a container. Its ports are published under the same numbers, so that they stay the same over a restart. */
export class AgentContainer implements AgentHost {
  readonly clientAddress = '0.0.0.0'
  readonly dataFolder = '/consul/data'
  readonly pid = undefined
  readonly host = '127.0.0.1'
  readonly #image: string
  #container: StartedTestContainer | undefined
  #running = false

  constructor(image: string) {
    this.#image = image
  }

  get isRunning(): boolean {
    return this.#running
  }

  async start(args: readonly string[], ports: readonly number[], keepState: boolean): Promise<void> {
    if (this.#running) throw new Error('the agent is running already')
    if (this.#container && keepState) {
      await (await this.#engineView()).start()
    } else {
      await this.#remove()
      this.#container = await new GenericContainer(this.#image)
        .withEntrypoint(['/bin/consul'])
        .withCommand([...args])
        .withExposedPorts(...ports.map((port) => ({ container: port, host: port })))
        .withWaitStrategy(Wait.forHttp('/v1/status/leader', ports[0] ?? 0))
        .withStartupTimeout(START_WITHIN_MS)
        .start()
    }
    this.#running = true
  }

  async signal(name: AgentSignal): Promise<void> {
    if (!this.#running) return
    const container = await this.#engineView()
    // The engine's own freezer, because the first process of a container is deaf to SIGSTOP.
    if (name === 'SIGSTOP') await container.pause()
    else if (name === 'SIGCONT') await container.unpause()
    else {
      const { State } = await container.inspect()
      if (State.Paused) await container.unpause()
      await container.kill({ signal: name })
    }
  }

  async ended(): Promise<void> {
    if (!this.#running) return
    await (await this.#engineView()).wait()
    this.#running = false
  }

  async logs(): Promise<string> {
    if (!this.#container) return ''
    const container = await this.#engineView()
    return joinFrames(await container.logs({ stdout: true, stderr: true, follow: false }))
  }

  async dispose(): Promise<void> {
    await this.#remove()
  }

  async #remove(): Promise<void> {
    const container = this.#container && (await this.#engineView())
    this.#container = undefined
    this.#running = false
    await container?.remove({ force: true, v: true })
  }

  /** The engine's handle on the container: it can pause, kill and start again, which testcontainers itself cannot. */
  async #engineView(): Promise<EngineContainer> {
    if (!this.#container) throw new Error('the agent was never started')
    const { container } = await getContainerRuntimeClient()
    return container.getById(this.#container.getId())
  }
}

/** The engine frames its logs: eight bytes, of which the last four are the length of the text that follows. */
function joinFrames(framed: Buffer): string {
  let logs = ''
  for (let at = 0; at + 8 <= framed.length;) {
    const end = at + 8 + framed.readUInt32BE(at + 4)
    logs += framed.toString('utf8', at + 8, end)
    at = end
  }
  return logs
}

type EngineContainer = ReturnType<Awaited<ReturnType<typeof getContainerRuntimeClient>>['container']['getById']>
