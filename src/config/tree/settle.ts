/**
 * Freezes a value and makes it share with the one before: parts that are equal by value become the same objects, so that `===` tells
 * whether a part has changed, and a reload does not keep a second copy of what it did not touch.
 */

/** What has been through here is frozen in all its parts and need not be looked at again. */
const settledBefore = new WeakSet()

/** `next`, deeply frozen, with the equal parts of `previous` in place; `previous` itself when all is equal. Copies what it freezes. */
export function settle<T>(previous: unknown, next: T): T
export function settle(previous: unknown, next: unknown): unknown {
  if (Object.is(previous, next) || !isContainer(next)) return next
  const before = isContainer(previous) && Array.isArray(previous) === Array.isArray(next) ? previous : undefined
  if (before === undefined && settledBefore.has(next)) return next

  const names = Object.keys(next)
  let isSame = before !== undefined && Object.keys(before).length === names.length
  const parts = names.map((name) => {
    const known = before !== undefined && Object.hasOwn(before, name)
    const old: unknown = known ? own(before, name) : undefined
    const part: unknown = settle(old, own(next, name))
    if (!known || part !== old) isSame = false
    return part
  })
  return isSame ? before : frozenCopy(next, names, parts)
}

/** A list or an object whose parts are settled, frozen as it is: for one that nobody else holds, and that has none before it. */
export function settled<T extends object>(container: T): T {
  settledBefore.add(container)
  return Object.freeze(container)
}

function frozenCopy(next: object, names: readonly string[], parts: unknown[]): object {
  return settled(Array.isArray(next) ? parts : namedParts(names, parts))
}

function namedParts(names: readonly string[], parts: readonly unknown[]): object {
  // Assigning to this one name would set the prototype.
  if (names.includes('__proto__')) return Object.fromEntries(names.map((name, index) => [name, parts[index]]))
  const copy: Record<string, unknown> = {}
  for (const [index, name] of names.entries()) copy[name] = parts[index]
  return copy
}

function own(container: object, name: string): unknown {
  return Reflect.get(container, name)
}

/** Lists and plain objects. What is an instance of a class (a Date, a URL, a Buffer) is left as it is. */
function isContainer(value: unknown): value is object {
  if (typeof value !== 'object' || value === null) return false
  if (Array.isArray(value)) return true
  const prototype: unknown = Object.getPrototypeOf(value)
  return prototype === null || prototype === Object.prototype
}
