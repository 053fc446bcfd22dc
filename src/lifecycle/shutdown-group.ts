/** The shutdowns of one process, whichever client they belong to: the process may end when the last of them is done. */
export interface ShutdownGroup {
  /** Shutdowns under way. */
  running: number
  /** Whether one of them is to end the process. */
  endsProcess: boolean
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

function isGroup(value: unknown): value is ShutdownGroup {
  return typeof value === 'object' && value !== null && 'running' in value && 'endsProcess' in value
}
