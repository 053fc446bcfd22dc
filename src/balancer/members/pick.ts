import type { ServiceInstance } from '../../instances/service-instance.js'
import type { Member } from './member.js'
import type { Outcome } from './outcome.js'

/** An instance that was chosen for one call, which counts as in flight until {@link done}. */
export class Pick {
  /** The one to call. */
  readonly instance: ServiceInstance
  // One is made for every call, and fields with a # cost three times as much to make in Node.js 20.
  private readonly startedAt: number
  private member: Member | undefined

  /** @internal */
  constructor(member: Member, startedAt: number) {
    this.instance = member.instance
    this.member = member
    this.startedAt = startedAt
  }

  /** The call has ended; well, if nothing is said. Only the first one counts. */
  done(outcome?: Outcome): void {
    const { member } = this
    if (member === undefined) return
    this.member = undefined
    member.end(this.startedAt, outcome)
  }
}
