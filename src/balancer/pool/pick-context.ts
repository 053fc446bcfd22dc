import type { PolicyContext } from '../policies/policy.js'
import type { Chance } from '../selection/chance.js'

/** What the policy of a pool may look at. */
export class PickContext implements PolicyContext {
  now = 0
  inFlight = 0
  readonly #chance: Chance

  constructor(chance: Chance) {
    this.#chance = chance
  }

  below(count: number): number {
    return this.#chance.below(count)
  }
}
