const KEY = Symbol.for('proconsul.runs')

/** The run ids of the clients of this process that hold registrations, shared with other copies of the package. */
export function liveRuns(): Set<unknown> {
  const known: unknown = Reflect.get(globalThis, KEY)
  if (known instanceof Set) return known
  const runs = new Set<unknown>()
  Reflect.set(globalThis, KEY, runs)
  return runs
}
