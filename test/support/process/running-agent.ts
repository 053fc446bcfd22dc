/** The signals that a launcher sends. */
export type AgentSignal = 'SIGSTOP' | 'SIGCONT' | 'SIGKILL' | 'SIGTERM' | 'SIGINT'

/** What the launcher needs of a place in which an agent can run: a process of this machine, or a container. */
export interface AgentHost {
  /** The host name under which the agent's ports are reached from here. */
  readonly host: string
  /** The address on which the agent has to listen for that. */
  readonly clientAddress: string
  /** The folder for the agent's data, as the agent sees it. */
  readonly dataFolder: string
  /** Of the running agent, where it is a process of this machine. */
  readonly pid: number | undefined
  readonly isRunning: boolean
  /** Starts the agent; what it stored earlier is kept or thrown away. */
  start(args: readonly string[], ports: readonly number[], keepState: boolean): Promise<void>
  signal(name: AgentSignal): Promise<void>
  /** Resolves when the agent has ended. At once if it is not running. */
  ended(): Promise<void>
  logs(): Promise<string>
  /** Ends the agent and removes all that it left. */
  dispose(): Promise<void>
}
