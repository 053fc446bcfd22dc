/** Which requests a fault is for. Everything left out matches. */
export interface FaultMatch {
  /** `GET`, `PUT`, … in any case. */
  readonly method?: string
  /** The path without its query: a text matches that path and everything below it, an expression is tested against the path. */
  readonly path?: string | RegExp
  /** After this many requests the fault is over. Default: never. */
  readonly times?: number
}

/** What a fault looks at. */
export interface FaultSubject {
  readonly method: string
  readonly path: string
}

/** Whether a request is one that a fault is for. */
export function matches({ method, path }: FaultMatch, subject: FaultSubject): boolean {
  if (method !== undefined && method.toUpperCase() !== subject.method) return false
  if (path === undefined) return true
  if (typeof path !== 'string') {
    // A global expression remembers where it stopped.
    path.lastIndex = 0
    return path.test(subject.path)
  }
  return subject.path === path || subject.path.startsWith(path.endsWith('/') ? path : `${path}/`)
}
