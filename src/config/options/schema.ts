import type { StandardSchemaV1 } from '@standard-schema/spec'
import type { TreeObject } from '../tree/tree.js'

/**
 * What makes a typed value of the merged tree: a schema of any library that speaks Standard Schema (https://standardschema.dev), or a
 * function that returns the value or throws. A function is given a frozen tree, a schema a copy of its own.
 */
export type ConfigSchema<T> = StandardSchemaV1<unknown, T> | ((tree: TreeObject) => T | Promise<T>)

/** Whether a value can be a schema. Some libraries make their schemas functions: those speak for themselves. */
export function isStandardSchema<T>(schema: ConfigSchema<T>): schema is StandardSchemaV1<unknown, T> {
  return (
    (typeof schema === 'object' || typeof schema === 'function') &&
    '~standard' in schema &&
    typeof schema['~standard'] === 'object'
  )
}
