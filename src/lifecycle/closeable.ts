/** Something that holds a timer, a socket or a listener until it is closed. */
export interface Closeable extends AsyncDisposable {
  /** Lets go of everything. Idempotent: further calls return the same promise. */
  close(): Promise<void>
}
