import type { StandardSchemaV1 } from '@standard-schema/spec'
import { inThisContext } from '../../core/async-context.js'
import { thrownText } from '../../core/thrown.js'
import { isStandardSchema, type ConfigSchema } from '../options/schema.js'
import { formatPath } from '../tree/path.js'
import type { TreeObject } from '../tree/tree.js'
import { ConfigRejection, type ConfigIssue } from './issue.js'

/**
 * The check that a schema stands for: it yields the typed value or throws a ConfigRejection. It runs in the async context of this call.
 * Without a schema the tree is the value, and `T` is what the caller says it is.
 */
export function validator<T>(schema: ConfigSchema<T> | undefined): (tree: TreeObject) => Promise<T>
export function validator(schema: ConfigSchema<unknown> | undefined): (tree: TreeObject) => Promise<unknown> {
  if (schema === undefined) return (tree) => Promise.resolve(tree)
  const check = inThisContext((tree: TreeObject) => (isStandardSchema(schema) ? standard(schema, tree) : schema(tree)))
  return (tree) => guarded(() => check(tree))
}

async function standard(schema: StandardSchemaV1, tree: TreeObject): Promise<unknown> {
  // Some libraries write what they parsed into what they were given.
  const result = await schema['~standard'].validate(structuredClone(tree))
  if (result.issues !== undefined) throw new ConfigRejection(result.issues.map(configIssue))
  return result.value
}

function configIssue({ message, path = [] }: StandardSchemaV1.Issue): ConfigIssue {
  const segments = path.map((part) => String(typeof part === 'object' ? part.key : part))
  return { message: thrownText(message), ...(segments.length > 0 && { path: formatPath(segments) }) }
}

/** What `check` returns. What it throws is an issue, whatever it is. */
export async function guarded<R>(check: () => R | Promise<R>): Promise<R> {
  try {
    return await check()
  } catch (error) {
    throw isRejection(error) ? error : new ConfigRejection([{ message: thrownText(error) }])
  }
}

/** What users throw may throw itself when it is looked at. */
function isRejection(error: unknown): error is ConfigRejection {
  try {
    return error instanceof ConfigRejection
  } catch {
    return false
  }
}
