import { checkInteger, checkObject } from '../../core/option-check.js'
import { hashText, hashWith } from '../policies/hash.js'

/** Which of equal callers a process is. */
export interface PeerPosition {
  /** From 0. */
  readonly index: number
  readonly count: number
}

/** To call only some of very many instances. */
export interface SubsetOptions {
  /** How many. All are used where there are not more than twice as many. */
  readonly size: number
  /**
   * Which of its own peers this process is, such as `{ index: 3, count: 12 }`, or a function that says so now. With it every instance is
   * in as many subsets as any other. Default: a subset of its own at random, which is fair on average with many callers only.
   */
  readonly peer?: PeerPosition | (() => PeerPosition | undefined) | undefined
}

/** @throws ProconsulError `PROCONSUL_INVALID_OPTION` */
export function resolveSubset(subset: SubsetOptions): SubsetOptions {
  checkObject('subset', subset, ['size', 'peer'])
  const { peer } = subset
  const size = checkInteger('subset.size', subset.size, 1, 1_000_000)
  if (peer === undefined || typeof peer === 'function') return Object.freeze({ size, peer })
  return Object.freeze({ size, peer: checkPeer(peer) })
}

/**
 * The members that this process calls. All are put in an order that is the same for every caller; callers that know their place among
 * their peers take neighbouring stretches of it, so that every member is in as many subsets as any other; one that does not takes those
 * that score highest with a number of its own. Either way few members change when one comes or goes.
 */
export function subsetOf<Member extends { readonly key: string }>(
  members: readonly Member[],
  { size, peer }: SubsetOptions,
  salt: number,
): readonly Member[] {
  // With less than twice as many, leaving some out saves little and unbalances much.
  if (members.length <= 2 * size) return members
  const position = typeof peer === 'function' ? checked(peer()) : peer
  const hashes = new Map(members.map((member) => [member, hashText(member.key)]))
  const ranked = (rank: (hash: number) => number): readonly Member[] => {
    const ranks = new Map(members.map((member) => [member, rank(hashes.get(member) ?? 0)]))
    return members.toSorted((a, b) => (ranks.get(a) ?? 0) - (ranks.get(b) ?? 0) || (a.key < b.key ? -1 : 1))
  }
  if (position === undefined) return ranked((hash) => -hashWith(hash, salt)).slice(0, size)
  const order = ranked((hash) => hash)
  const start = Math.floor((position.index * order.length) / position.count)
  return Array.from({ length: size }, (_, step) => order[(start + step) % order.length]).filter(
    (member) => member !== undefined,
  )
}

/** What a function of the user's returned; what is no position is none. */
function checked(position: PeerPosition | undefined): PeerPosition | undefined {
  if (position === undefined) return undefined
  const { index, count } = position
  return Number.isInteger(index) && Number.isInteger(count) && index >= 0 && index < count ? position : undefined
}

function checkPeer(peer: PeerPosition): PeerPosition {
  checkObject('subset.peer', peer, ['index', 'count'])
  const count = checkInteger('subset.peer.count', peer.count, 1, 1_000_000)
  return Object.freeze({ index: checkInteger('subset.peer.index', peer.index, 0, count - 1), count })
}
