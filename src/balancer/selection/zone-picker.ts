import type { IsExcluded, Picker, PolicyContext } from '../policies/policy.js'

/**
 * A zone takes all of its calls as long as this share of it, turned round, can serve: with 1.4, from 72 % on. As in Envoy
 * (https://www.envoyproxy.io/docs/envoy/latest/intro/arch_overview/upstream/load_balancing/priority).
 */
export const OVERPROVISIONING = 1.4

/** The share of the calls that stays in the zone, by the share of its instances that can serve. */
export function shareOfZone(available: number, all: number): number {
  return all === 0 ? 0 : Math.min(1, (OVERPROVISIONING * available) / all)
}

const STEPS = 10_000

/** Chooses in the zone or beyond it, where the list begins with those of the zone. */
export class ZonePicker implements Picker {
  readonly #here: Picker
  readonly #elsewhere: Picker
  readonly #sizeHere: number
  readonly #stepsHere: number
  readonly #context: PolicyContext

  constructor(
    zone: { readonly here: Picker; readonly elsewhere: Picker; readonly sizeHere: number; readonly share: number },
    context: PolicyContext,
  ) {
    this.#here = zone.here
    this.#elsewhere = zone.elsewhere
    this.#sizeHere = zone.sizeHere
    this.#stepsHere = Math.round(zone.share * STEPS)
    this.#context = context
  }

  pick(key: string | undefined, isExcluded: IsExcluded | undefined): number {
    const isHere = this.#stepsHere === STEPS || this.#context.below(STEPS) < this.#stepsHere
    if (isExcluded === undefined) return isHere ? this.#here.pick(key, undefined) : this.#beyond(key, undefined)
    const first = isHere ? this.#here.pick(key, isExcluded) : this.#beyond(key, isExcluded)
    if (first !== -1) return first
    return isHere ? this.#beyond(key, isExcluded) : this.#here.pick(key, isExcluded)
  }

  #beyond(key: string | undefined, isExcluded: IsExcluded | undefined): number {
    const isOut = isExcluded && ((place: number): boolean => isExcluded(place + this.#sizeHere))
    const place = this.#elsewhere.pick(key, isOut)
    return place === -1 ? -1 : place + this.#sizeHere
  }
}
