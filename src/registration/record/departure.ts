import { AbortLink, withDeadline } from '../../core/abort.js'
import type { Clock } from '../../core/clock.js'
import { formatDuration } from '../../core/duration.js'
import { sleep } from '../../core/sleep.js'
import { ProconsulError } from '../../errors/proconsul-error.js'
import type { RecordKeeper } from './record-keeper.js'

/** How a service leaves discovery. */
export interface DepartureOptions {
  readonly id: string
  readonly clock: Clock
  readonly timeoutMs: number
  readonly signal: AbortSignal | undefined
}

/** How long the catalog is asked whether the instance is gone. */
const CONFIRM_MS = 5_000

/** Removes the record where the agent may have it. Rejects with `PROCONSUL_TIMEOUT`, or with the signal's reason, when the agent could not be told in time. */
export async function removeInTime(record: RecordKeeper, options: DepartureOptions): Promise<void> {
  const { id, timeoutMs } = options
  if (!record.mayBeThere) return
  const message = `${id} could not be deregistered within ${formatDuration(timeoutMs)}; its check will lapse by itself`
  const onTimeout = (): ProconsulError => new ProconsulError('PROCONSUL_TIMEOUT', message)
  await withDeadline({ ...options, onTimeout }, (signal) => record.remove(signal))
}

/** Waits until the catalog shows that the instance is gone. Past a bound it goes on all the same: the agent will see to it later. */
export async function confirmInTime(
  record: RecordKeeper,
  { clock, signal }: DepartureOptions,
  onDoubt: (error: unknown) => void,
): Promise<void> {
  // An attempt that was under way may have turned out not to have reached the agent.
  if (!record.mayBeThere) return
  const link = new AbortLink(signal)
  const late = new ProconsulError('PROCONSUL_TIMEOUT', 'the catalog still lists the instance')
  const timer = clock.setTimer(() => link.abort(late), CONFIRM_MS)
  try {
    await record.confirmGone(link.signal)
  } catch (error) {
    onDoubt(error)
  } finally {
    timer.cancel()
    link.unlink()
  }
}

/** Waits out the drain, or until one of the signals is aborted: what has left discovery has left, and nobody waits for it any longer. */
export async function waitOut(drainMs: number, clock: Clock, ...signals: (AbortSignal | undefined)[]): Promise<void> {
  const link = new AbortLink(...signals)
  try {
    await sleep(drainMs, { clock, signal: link.signal })
  } catch (error) {
    if (!link.signal.aborted) throw error
  } finally {
    link.unlink()
  }
}
