import { lossGuard } from '../../../src/instances/loss-guard.js'
import { FakeClock } from '../../support/fake-clock.js'
import { listOf, runtimeOn, ScriptedSource, ToldList } from './scripted-source.js'

export const FIVE = ['a', 'b', 'c', 'd', 'e']
/** What a list says of itself when the registry may have lost its state. */
export const WIPED = { isContinuous: false }
const SHARES = { share: 0.5, atLeast: 4, holdMs: 10_000 }

interface Given {
  readonly saved?: readonly string[]
  readonly options?: Partial<typeof SHARES>
}

/** A list behind the guard, and everything that is told of it. */
export function guarded(confirm?: () => Promise<readonly string[]>, { saved, options }: Given = {}) {
  const clock = new FakeClock()
  const source = new ScriptedSource('web', confirm)
  const told = new ToldList()
  const guard = lossGuard(source, {
    runtime: runtimeOn(clock),
    options: { ...SHARES, ...options },
    saved: saved && listOf(saved, WIPED),
  })
  const hold = guard.observe(told)
  return { clock, source, guard, heard: told, told: told.told, hold }
}
