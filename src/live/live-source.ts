import type { ProconsulError } from '../errors/proconsul-error.js'

/**
 * The contract between what is followed and whoever follows it. A source knows how to read; a view knows what reading means to people.
 * Guards stand between the two: each is a source on top of another.
 */

/** A value with the moment at which it was last known to be right. */
export interface Confirmed {
  /** Wall time in milliseconds since the epoch. */
  readonly confirmedAt: number
}

/** Hears of a value. What it throws is the source's to survive. */
export interface Observer<Fact extends Confirmed> {
  /**
   * The value as it is known now: the first, each that differs, the first one read after a failure, and any that was read again and is
   * the same, which moves its age.
   */
  onValue(fact: Fact): void
  /** The value cannot be read; the source goes on trying. Every failure may be told: whoever listens tells the first of its kind. */
  onFailure(error: ProconsulError): void
  /** A newer value is there and is not believed yet. One that is follows within a bounded time in which the source can be read. */
  onDoubt(error: ProconsulError): void
  /** Nothing was read yet, and this value was saved by an earlier run: it is shown as stale until something newer comes. */
  onSaved(fact: Fact): void
  /** Something beside the value itself went wrong, such as a file that cannot be written. */
  onProblem(error: ProconsulError): void
}

/** One observer's hold on a source. */
export interface Hold {
  /** Stops the calls to the observer, and the reads where nobody else wants them. Default: the source cannot pause. */
  pause?(): void
  /** Reads anew, and tells what was missed. */
  resume?(): void
  /** A hint that the value may be out of date. The source may look again soon; it bounds how often. */
  refresh?(): void
  /** Ends the calls at once. May resolve later, when nothing is left to write. */
  close(): void | Promise<void>
}

/** Something that can be followed. */
export interface LiveSource<Fact extends Confirmed> {
  /** What it is, for messages, such as `service "users"`. */
  readonly label: string
  /** Begins to read, and calls the observer until the hold is closed. */
  observe(observer: Observer<Fact>): Hold
}

/** An observer that passes everything on, but for what `ways` do in their own way. */
export function observerOver<Fact extends Confirmed>(
  observer: Observer<Fact>,
  ways: Partial<Observer<Fact>>,
): Observer<Fact> {
  return {
    onValue: (fact) => observer.onValue(fact),
    onFailure: (error) => observer.onFailure(error),
    onDoubt: (error) => observer.onDoubt(error),
    onSaved: (fact) => observer.onSaved(fact),
    onProblem: (error) => observer.onProblem(error),
    ...ways,
  }
}

/** A hold that passes everything on, but for what `ways` do in their own way. */
export function holdOver(hold: Hold, ways: Partial<Hold>): Hold {
  return {
    pause: () => hold.pause?.(),
    resume: () => hold.resume?.(),
    refresh: () => hold.refresh?.(),
    close: () => hold.close(),
    ...ways,
  }
}
