/**
 * Freezes a tree of plain objects and arrays in place and returns it. What is frozen already is taken as frozen all through; bytes, which
 * cannot be frozen, are left as they are.
 */
export function deepFreeze<T>(value: T): T {
  if (typeof value !== 'object' || value === null || Object.isFrozen(value) || ArrayBuffer.isView(value)) return value
  Object.freeze(value)
  for (const part of Object.values(value)) deepFreeze(part)
  return value
}
