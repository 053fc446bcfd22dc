/** Where a registration is, with what belongs to it. */
export type State =
  | { readonly type: 'registering' }
  | { readonly type: 'registered' }
  | { readonly type: 'lost'; readonly reason: 'forgotten' | 'taken'; readonly since: number }
  | { readonly type: 'draining' }
  | { readonly type: 'deregistered' }

/** Where a registration is. */
export type RegistrationState = State['type']
