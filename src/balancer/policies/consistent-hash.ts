import { instanceKey } from '../../instances/service-instance.js'
import { hashText, mix } from './hash.js'
import { HashRing } from './hash-ring.js'
import type { BalancerPolicy, Candidate, IsExcluded, Picker, PolicyContext } from './policy.js'
import { nextAllowed } from './random.js'

/** Up to so many candidates each is asked how much it wants a key, which spreads best; beyond, a ring answers in constant time. */
export const MOST_FOR_RENDEZVOUS = 50

/** No candidate has more than this times the mean of the calls in flight: further ones go to the next in line for their key. */
export const LOAD_FACTOR = 1.25

/**
 * Equal keys to the same candidate, as long as it is there and not overloaded; when one comes or goes, only its own keys move. Weights
 * are not looked at. Without a key: anyone.
 */
export const consistentHash: BalancerPolicy = Object.freeze({
  name: 'consistent-hash',
  usesLatency: false,
  createPicker: (candidates: readonly Candidate[], context: PolicyContext, previous: Picker | undefined) =>
    candidates.length <= MOST_FOR_RENDEZVOUS
      ? new RendezvousPicker(candidates, context)
      : new RingPicker(candidates, context, previous instanceof RingPicker ? previous : undefined),
})

abstract class HashPicker implements Picker {
  readonly candidates: readonly Candidate[]
  readonly #context: PolicyContext

  constructor(candidates: readonly Candidate[], context: PolicyContext) {
    this.candidates = candidates
    this.#context = context
  }

  pick(key: string | undefined, isExcluded: IsExcluded | undefined): number {
    const size = this.candidates.length
    if (key !== undefined) return this.choose(hashText(key), isExcluded)
    const place = this.#context.below(size)
    return isExcluded === undefined ? place : nextAllowed(place, size, isExcluded)
  }

  /** Who has a key, by its hash. */
  protected abstract choose(hash: number, isExcluded: IsExcluded | undefined): number

  /** How many calls in flight one may have at most, with one more. */
  protected mostInFlight(): number {
    return Math.ceil((LOAD_FACTOR * (this.#context.inFlight + 1)) / this.candidates.length)
  }

  protected inFlightOf(place: number): number {
    return this.candidates[place]?.inFlight ?? 0
  }
}

/** Highest random weight: each candidate gives each key a score, and the highest has it. */
class RendezvousPicker extends HashPicker {
  readonly #hashes: Int32Array

  constructor(candidates: readonly Candidate[], context: PolicyContext) {
    super(candidates, context)
    this.#hashes = Int32Array.from(candidates, hashOf)
  }

  protected override choose(hash: number, isExcluded: IsExcluded | undefined): number {
    const hashes = this.#hashes
    const most = this.mostInFlight()
    let [best, bestScore, fallback, fallbackScore] = [-1, -1, -1, -1]
    for (let place = 0; place < hashes.length; place += 1) {
      const score = mix((hashes[place] ?? 0) ^ hash)
      if (score <= bestScore || isExcluded?.(place) === true) continue
      if (this.inFlightOf(place) < most) [best, bestScore] = [place, score]
      else if (score > fallbackScore) [fallback, fallbackScore] = [place, score]
    }
    return best === -1 ? fallback : best
  }
}

/** A ring, made when it is first asked, from that of the picker before. */
class RingPicker extends HashPicker {
  #ring: HashRing | undefined
  #before: RingPicker | undefined

  constructor(candidates: readonly Candidate[], context: PolicyContext, before: RingPicker | undefined) {
    super(candidates, context)
    // One that was never asked has made no ring, and stands for the one before it.
    this.#before = before?.latest()
  }

  /** The latest picker of this line that has a ring. */
  latest(): RingPicker | undefined {
    return this.#ring === undefined ? this.#before : this
  }

  protected override choose(hash: number, isExcluded: IsExcluded | undefined): number {
    this.#ring ??= this.#makeRing()
    const ring = this.#ring
    const most = this.mostInFlight()
    const start = ring.find(hash)
    for (let step = 0, point = start; step < ring.size; step += 1) {
      const owner = ring.ownerOf(point)
      if (this.inFlightOf(owner) < most && isExcluded?.(owner) !== true) return owner
      point = point + 1 === ring.size ? 0 : point + 1
    }
    const owner = ring.ownerOf(start)
    return isExcluded === undefined ? owner : nextAllowed(owner, this.candidates.length, isExcluded)
  }

  #makeRing(): HashRing {
    const places = new Map(this.candidates.map((candidate, place) => [candidate, place]))
    const known = this.#before?.candidates ?? []
    const placesNow = known.map((candidate) => places.get(candidate) ?? -1)
    for (const candidate of known) places.delete(candidate)
    const added = [...places].map(([candidate, place]) => ({ hash: hashOf(candidate), place }))
    const ring = (this.#before?.ring ?? HashRing.empty).changed((place) => placesNow[place] ?? -1, added)
    this.#before = undefined
    return ring
  }

  /** Its ring, if it was asked yet. */
  get ring(): HashRing | undefined {
    return this.#ring
  }
}

function hashOf({ instance }: Candidate): number {
  return hashText(instanceKey(instance))
}
