import type { ApiRequest } from './api-request.js'
import type { Reply } from '../wire/reply.js'

/** Answers one kind of request. */
export type Handler = (request: ApiRequest) => Reply | Promise<Reply>

/** A path and what it does for each method. A path that ends in a slash stands for everything below it. */
export interface Route {
  readonly path: string
  readonly methods: Readonly<Partial<Record<'GET' | 'PUT' | 'POST' | 'DELETE', Handler>>>
}

/** Finds the route of a path: the exact one, else the longest that it lies below. */
export class Router {
  readonly #exact = new Map<string, Route>()
  readonly #below: readonly Route[]

  constructor(routes: readonly Route[]) {
    for (const route of routes) if (!route.path.endsWith('/')) this.#exact.set(route.path, route)
    this.#below = routes
      .filter((route) => route.path.endsWith('/'))
      .sort((left, right) => right.path.length - left.path.length)
  }

  find(path: string): Route | undefined {
    return this.#exact.get(path) ?? this.#below.find((route) => path.startsWith(route.path))
  }
}

/** The value of the `Allow` header of a route. */
export function allowedMethods(route: Route): string {
  return ['OPTIONS', ...Object.keys(route.methods)].join(',')
}
