import fc from 'fast-check'

/**
 * Makes values that code of users may throw or return: odd ones, and ones that throw as soon as they are looked at. They are made when
 * they are called for, since fast-check looks at what it generates.
 */
export function anyHostile(): fc.Arbitrary<() => unknown> {
  return fc.oneof(
    fc.anything({ withNullPrototype: true, withBigInt: true }).map(always),
    fc
      .constantFrom<unknown>('passing', 'warning', 'critical', '', 'over 2 GB', true, false, null, undefined)
      .map(always),
    fc.record({ status: fc.anything(), output: fc.anything() }, { requiredKeys: [] }).map(always),
    fc.anything().map((message) => () => Object.defineProperty(new Error('x'), 'message', { value: message })),
    fc.constantFrom(throwing, revoked, getters, misleading, silent),
  )
}

function always(value: unknown): () => unknown {
  return () => value
}

function boom(): never {
  throw new Error('looked at')
}

/** Throws at everything. */
function throwing(): unknown {
  const traps = ['get', 'has', 'ownKeys', 'getPrototypeOf', 'getOwnPropertyDescriptor', 'apply'] as const
  return new Proxy(() => undefined, Object.fromEntries(traps.map((trap) => [trap, boom])))
}

function revoked(): unknown {
  const { proxy, revoke } = Proxy.revocable(Object.create(null) as object, {})
  revoke()
  return proxy
}

function getters(): unknown {
  const descriptors = Object.fromEntries(
    ['status', 'output', 'message', 'name', 'stack', 'toString'].map((name) => [name, { get: boom, enumerable: true }]),
  )
  return Object.defineProperties({}, descriptors)
}

/** An error whose class says odd things about itself. */
function misleading(): unknown {
  return Object.defineProperties(new Error('x'), {
    stack: { get: boom },
    name: { get: boom },
    message: { get: boom },
    cause: { get: boom },
    code: { get: boom },
  })
}

function silent(): unknown {
  return Object.create(null)
}
