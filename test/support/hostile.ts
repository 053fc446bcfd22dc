/** Throws anything. */
export function raise(thrown: unknown): never {
  throw thrown
}

/** Something that throws whenever it is touched. */
export function hostile(): object {
  const refuse = (): never => raise(new Error('hands off'))
  return new Proxy(
    {},
    { get: refuse, has: refuse, getPrototypeOf: refuse, ownKeys: refuse, getOwnPropertyDescriptor: refuse },
  )
}
