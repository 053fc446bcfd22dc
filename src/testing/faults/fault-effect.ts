/** What a fault does to a request. */
export type FaultEffect =
  /** The connection is reset before anything is read of the request's answer. */
  | { readonly type: 'reset' }
  /** The connection is closed without an answer. */
  | { readonly type: 'drop'; readonly afterHandling: boolean }
  | { readonly type: 'delay'; readonly delayMs: number }
  /** The request is held until the fault is removed. */
  | { readonly type: 'hang' }
  /** The headers and a part of the body are sent, then the connection is closed. */
  | { readonly type: 'cut'; readonly afterBytes: number | undefined }
  | {
      readonly type: 'answer'
      readonly status: number
      readonly headers: Readonly<Record<string, string>>
      readonly body: string
    }
  /** The index on the answer is another one. */
  | { readonly type: 'index'; readonly index: bigint }
