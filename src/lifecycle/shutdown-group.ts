/** The shutdowns of one process, whichever client they belong to: the process may end when the last of them is done. */
export interface ShutdownGroup {
  /** Shutdowns under way. */
  running: number
  /** Whether one of them is to end the process. */
  endsProcess: boolean
  /** Whether it was said that somebody else listens for a signal as well. */
  hasWarned?: boolean
}

const KEY = Symbol.for('proconsul.shutdowns')

/** The group of this process, shared with other copies of the package. */
export function processGroup(): ShutdownGroup {
  const known: unknown = Reflect.get(globalThis, KEY)
  if (isGroup(known)) return known
  const group: ShutdownGroup = { running: 0, endsProcess: false }
  Reflect.set(globalThis, KEY, group)
  return group
}

/**
 * Whether this process has got a signal by which it ends when its clients have left. A call that is cut off by that is not told so: a
 * rejection at the top level of a module would end the process at once, in the middle of the drain and with another exit status.
 */
export function isProcessEnding(): boolean {
  return processGroup().endsProcess
}

function isGroup(value: unknown): value is ShutdownGroup {
  return typeof value === 'object' && value !== null && 'running' in value && 'endsProcess' in value
}
