import type { Tree, TreeObject } from './tree/tree.js'

/** The types of a frozen configuration and of its parts. */

/** What cannot be frozen, or is not data, keeps its type. */
type Opaque = string | number | bigint | boolean | symbol | null | undefined | Date | RegExp | URL | Uint8Array
type AnyFunction = (...args: never[]) => unknown

/** The same type with every property readonly. */
export type DeepReadonly<T> = T extends Opaque | AnyFunction
  ? T
  : TreeObject extends T
    ? T
    : readonly Tree[] extends T
      ? T
      : T extends ReadonlyMap<unknown, unknown> | ReadonlySet<unknown>
        ? T
        : { readonly [Name in keyof T]: DeepReadonly<T[Name]> }

/** The type at a path of dots; `unknown` where the type does not say. */
export type PathValue<T, Path extends string> = TreeObject extends T
  ? Tree | undefined
  : Path extends keyof T
    ? DeepReadonly<T[Path]>
    : Path extends `${infer Head}.${infer Rest}`
      ? Head extends keyof T
        ? undefined extends T[Head]
          ? PathValue<NonNullable<T[Head]>, Rest> | undefined
          : PathValue<T[Head], Rest>
        : unknown
      : unknown
