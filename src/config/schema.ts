import type { StandardSchemaV1 } from '@standard-schema/spec'
import { isProconsulError } from '../errors/proconsul-error.js'
import { ConfigRejection, type ConfigIssue } from './issue.js'
import { formatPath } from './tree/path.js'
import type { TreeObject } from './tree/tree.js'

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

/**
 * The check that a schema stands for: it yields the typed value or throws a ConfigRejection. Without a schema the tree is the value,
 * and `T` is what the caller says it is.
 */
export function validator<T>(schema: ConfigSchema<T> | undefined): (tree: TreeObject) => Promise<T>
export function validator(schema: ConfigSchema<unknown> | undefined): (tree: TreeObject) => Promise<unknown> {
  if (schema === undefined) return (tree) => Promise.resolve(tree)
  return (tree) => guarded(() => (isStandardSchema(schema) ? standard(schema, tree) : schema(tree)))
}

async function standard(schema: StandardSchemaV1, tree: TreeObject): Promise<unknown> {
  // Some libraries write what they parsed into what they were given.
  const result = await schema['~standard'].validate(structuredClone(tree))
  if (result.issues !== undefined) throw new ConfigRejection(result.issues.map(configIssue))
  return result.value
}

function configIssue({ message, path = [] }: StandardSchemaV1.Issue): ConfigIssue {
  const segments = path.map((part) => String(typeof part === 'object' ? part.key : part))
  return { message, ...(segments.length > 0 && { path: formatPath(segments) }) }
}

/** What `check` returns; what it throws is an issue. */
export async function guarded<R>(check: () => R | Promise<R>): Promise<R> {
  try {
    return await check()
  } catch (error) {
    if (error instanceof ConfigRejection || isProconsulError(error, 'PROCONSUL_ABORTED')) throw error
    throw new ConfigRejection([{ message: error instanceof Error ? error.message : String(error) }])
  }
}
