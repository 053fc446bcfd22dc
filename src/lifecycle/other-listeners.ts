/** Who else of the process listens for its signals. */

/** What of the process is needed. */
export interface ListenedProcess {
  listeners(signal: NodeJS.Signals): readonly object[]
  on(event: 'newListener', listener: NewListener): unknown
  off(event: 'newListener', listener: NewListener): unknown
}

/** Hears of each listener that is added. */
export type NewListener = (event: string | symbol, listener: object) => void

const OURS = Symbol.for('proconsul.signal-listener')

/** Marks a listener as one of this package, of whichever copy. */
export function markAsOurs<Listener extends object>(listener: Listener): Listener {
  return Object.defineProperty(listener, OURS, { value: true })
}

/** The listeners of a signal that are not of this package. */
export function otherListeners(target: ListenedProcess, signal: NodeJS.Signals): readonly object[] {
  return target.listeners(signal).filter((listener) => !(OURS in listener))
}

/** Calls `onOther` with each of the signals for which somebody else listens, now or later. Returns what stops that. */
export function followOtherListeners(
  target: ListenedProcess,
  signals: readonly NodeJS.Signals[],
  onOther: (signal: NodeJS.Signals) => void,
): () => void {
  for (const signal of signals) if (otherListeners(target, signal).length > 0) onOther(signal)
  const onNew: NewListener = (event, listener) => {
    const signal = signals.find((name) => name === event)
    if (signal !== undefined && !(OURS in listener)) onOther(signal)
  }
  target.on('newListener', onNew)
  return () => void target.off('newListener', onNew)
}
