import { randomUUID } from 'node:crypto'
import type { WakeUps } from '../state/wake-ups.js'
import { topics } from '../state/wake-ups.js'

/** One user event, as it is shown. */
export interface UserEvent {
  readonly ID: string
  readonly Name: string
  readonly Payload: string | null
  readonly NodeFilter: string
  readonly ServiceFilter: string
  readonly TagFilter: string
  readonly Version: number
  readonly LTime: number
}

/** An agent remembers this many. */
const CAPACITY = 256

/** The user events that reached the agents of a cluster. */
export class UserEvents {
  readonly #wakeUps: () => WakeUps
  #events: readonly UserEvent[] = []
  #time = 1

  constructor(wakeUps: () => WakeUps) {
    this.#wakeUps = wakeUps
  }

  /** Sends an event. What comes back has no time yet; the list has. */
  fire(event: Omit<UserEvent, 'ID' | 'Version' | 'LTime'>): UserEvent {
    const fired = { ID: randomUUID(), ...event, Version: 1, LTime: 0 }
    this.#time += 1
    this.#events = [...this.#events, { ...fired, LTime: this.#time }].slice(-CAPACITY)
    this.#wakeUps().touch([topics.events])
    return fired
  }

  /** The remembered events, oldest first, of one name or of all. */
  list(name: string): readonly UserEvent[] {
    return name === '' ? this.#events : this.#events.filter((event) => event.Name === name)
  }

  clear(): void {
    this.#events = []
    this.#wakeUps().touch([topics.events])
  }
}

/** The index of an event is a fold of its id, not a counter: it says "another one", never "a later one". */
export function eventIndex(id: string): bigint {
  const hex = id.replaceAll('-', '')
  return BigInt(`0x${hex.slice(0, 16)}`) ^ BigInt(`0x${hex.slice(16)}`)
}
