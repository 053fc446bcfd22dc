import { hashWith } from './hash.js'

/**
 * Points of each member on a ring. Their number does not depend on how many members there are: else a member that leaves would move the
 * others' points, and with them keys that need not move. With so many, the fullest of 1,000 members has 1.25 times the mean.
 */
export const POINTS_PER_MEMBER = 320

const HASH_BITS = 31

/** A ring of points, each of which belongs to a member, named by its place. Immutable. */
export class HashRing {
  readonly #points: Uint32Array
  readonly #owners: Uint32Array
  /** Where the points of each slice of the ring begin, so that a look-up needs no search. */
  readonly #slices: Uint32Array
  readonly #shift: number

  private constructor(points: Uint32Array, owners: Uint32Array) {
    this.#points = points
    this.#owners = owners
    const bits = Math.max(1, Math.ceil(Math.log2(Math.max(2, points.length))))
    this.#shift = HASH_BITS - bits
    this.#slices = new Uint32Array(2 ** bits)
    let index = 0
    for (let slice = 0; slice < this.#slices.length; slice += 1) {
      while (index < points.length && (points[index] ?? 0) >>> this.#shift < slice) index += 1
      this.#slices[slice] = index
    }
  }

  static readonly empty = new HashRing(new Uint32Array(0), new Uint32Array(0))

  /** How many points there are. */
  get size(): number {
    return this.#points.length
  }

  /** The first point at or after a hash. */
  find(hash: number): number {
    const points = this.#points
    let index = this.#slices[hash >>> this.#shift] ?? 0
    while (index < points.length && (points[index] ?? 0) < hash) index += 1
    return index === points.length ? 0 : index
  }

  /** Whose point it is. */
  ownerOf(point: number): number {
    return this.#owners[point] ?? -1
  }

  /**
   * The ring after a change, in time linear in its points.
   * @param placeOf where the owner of a place is now; -1 for one that has left
   * @param added hash and place of each new member
   */
  changed(
    placeOf: (place: number) => number,
    added: readonly { readonly hash: number; readonly place: number }[],
  ): HashRing {
    const fresh = pointsOf(added)
    const size = this.size + fresh.length
    const [points, owners] = [new Uint32Array(size), new Uint32Array(size)]
    let written = 0
    let next = 0
    const write = (point: number, owner: number): void => {
      points[written] = point
      owners[written] = owner
      written += 1
    }
    const writeFresh = (before: number): void => {
      for (let entry = fresh[next]; entry !== undefined && pointOf(entry) < before; entry = fresh[next]) {
        write(pointOf(entry), added[memberOf(entry)]?.place ?? 0)
        next += 1
      }
    }
    for (let index = 0; index < this.size; index += 1) {
      const owner = placeOf(this.ownerOf(index))
      const point = this.#points[index] ?? 0
      if (owner === -1) continue
      writeFresh(point)
      write(point, owner)
    }
    writeFresh(Infinity)
    return new HashRing(points.slice(0, written), owners.slice(0, written))
  }
}

/** A point with the number of its member in one number, so that a typed array can sort them: 31 and 20 of 53 bits. */
const MEMBERS = 2 ** 20

function pointsOf(members: readonly { readonly hash: number }[]): Float64Array {
  const entries = new Float64Array(members.length * POINTS_PER_MEMBER)
  let written = 0
  for (const [member, { hash }] of members.entries()) {
    for (let index = 0; index < POINTS_PER_MEMBER; index += 1) {
      entries[written] = hashWith(hash, index) * MEMBERS + member
      written += 1
    }
  }
  return entries.sort()
}

function pointOf(entry: number): number {
  return Math.floor(entry / MEMBERS)
}

function memberOf(entry: number): number {
  return entry % MEMBERS
}
