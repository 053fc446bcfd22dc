import type { Member } from '../members/member.js'
import type { BalancerPolicy, Picker, PolicyContext } from '../policies/policy.js'
import { SlowStartPicker, warmthAt } from './slow-start.js'
import { isInZone, type ZoneOptions } from './zone.js'
import { shareOfZone, ZonePicker } from './zone-picker.js'

/** How to arrange. */
export interface ArrangementOptions {
  readonly policy: BalancerPolicy
  readonly zone: ZoneOptions | undefined
  readonly slowStartMs: number
}

/** Who may be called. */
export interface Selection {
  /** All that this process calls. */
  readonly active: readonly Member[]
  /** Those of them that are not left out; at least one. */
  readonly available: readonly Member[]
}

/** Those who may be called at one moment, and the picker over them. Immutable, but for the places that its pickers keep. */
export class Arrangement {
  readonly candidates: readonly Member[]
  readonly picker: Picker
  /** Milliseconds until every candidate has warmed up; 0 when all have, or all are new. */
  readonly warmInMs: number
  /** That of the zone, or of all where there is none. */
  readonly here: Picker | undefined
  readonly elsewhere: Picker | undefined

  constructor(
    { active, available }: Selection,
    { policy, zone, slowStartMs }: ArrangementOptions,
    context: PolicyContext,
    clock: () => number,
    previous: Arrangement | undefined,
  ) {
    const here = zone === undefined ? available : available.filter((member) => isInZone(zone, member.instance))
    const elsewhere = zone === undefined ? [] : available.filter((member) => !isInZone(zone, member.instance))
    const make = (members: readonly Member[], before: Picker | undefined): Picker | undefined =>
      members.length === 0 ? undefined : policy.createPicker(members, context, before)
    this.here = make(here, previous?.here)
    this.elsewhere = make(elsewhere, previous?.elsewhere)
    this.candidates = zone === undefined ? available : [...here, ...elsewhere]
    const all = zone === undefined ? active : active.filter((member) => isInZone(zone, member.instance))
    const chosen = combine(this.here, this.elsewhere, here.length, shareOfZone(here.length, all.length), context)
    const now = clock()
    this.warmInMs = warmInMs(this.candidates, slowStartMs, now)
    this.picker =
      this.warmInMs === 0
        ? chosen
        : new SlowStartPicker(chosen, (place) => warmthAt(clock() - this.#joinedAt(place), slowStartMs), context)
  }

  #joinedAt(place: number): number {
    return this.candidates[place]?.joinedAt ?? -Infinity
  }
}

function combine(
  here: Picker | undefined,
  elsewhere: Picker | undefined,
  sizeHere: number,
  share: number,
  context: PolicyContext,
): Picker {
  if (here !== undefined && elsewhere !== undefined) {
    return new ZonePicker({ here, elsewhere, sizeHere, share }, context)
  }
  return here ?? elsewhere ?? NOBODY
}

const NOBODY: Picker = Object.freeze({ pick: () => -1 })

/** When nobody is warm there is nobody to take the calls meanwhile: then all are called as if they were. */
function warmInMs(members: readonly Member[], windowMs: number, now: number): number {
  const warmAt = members.map(({ joinedAt }) => joinedAt + windowMs)
  return windowMs > 0 && warmAt.some((at) => at <= now) ? Math.max(0, ...warmAt.map((at) => at - now)) : 0
}
