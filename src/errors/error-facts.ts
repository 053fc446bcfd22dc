/** An error as JSON: what people look for, and nothing that an error of another library may carry besides, such as a request. */
export interface ErrorFacts {
  readonly name: string
  readonly message: string
  readonly code?: string
  readonly cause?: ErrorFacts
}

/** A cause may be its own cause, over however many steps. */
const DEEPEST_CAUSE = 5

/** The facts of a cause and of its own causes, to some depth; nothing where there is none. */
export function causeFacts(cause: unknown, depth = DEEPEST_CAUSE): { readonly cause?: ErrorFacts } {
  if (cause === undefined || depth === 0) return {}
  const code = textOf(cause, 'code')
  return {
    cause: {
      name: textOf(cause, 'name') ?? 'Error',
      message: messageOf(cause),
      ...(code !== undefined && { code }),
      ...causeFacts(property(cause, 'cause'), depth - 1),
    },
  }
}

/** Anything can be thrown. Of an object without a message the fields are not shown: one of them may be a secret. */
function messageOf(thrown: unknown): string {
  if (typeof thrown === 'object' && thrown !== null) return textOf(thrown, 'message') ?? 'an object without a message'
  return typeof thrown === 'function' ? 'a function' : String(thrown)
}

function textOf(value: unknown, name: string): string | undefined {
  const text = property(value, name)
  return typeof text === 'string' ? text : undefined
}

/** A property that throws when it is looked at is not there. */
function property(value: unknown, name: string): unknown {
  try {
    return typeof value === 'object' && value !== null ? Reflect.get(value, name) : undefined
  } catch {
    return undefined
  }
}
