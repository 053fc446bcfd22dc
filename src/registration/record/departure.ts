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
  /** For the removal. */
  readonly timeoutMs: number
  /** Time for callers to notice. */
  readonly drainMs: number
  /** Gives up. */
  readonly signal: AbortSignal | undefined
  /** Ends the drain. */
  readonly halted: AbortSignal
  /** The agent was told, or could not be: heartbeats may end. */
  readonly onRemoved: () => Promise<void>
  /** The catalog did not confirm it in time. */
  readonly onDoubt: (error: unknown) => void
}

/** How long the catalog is asked whether the instance is gone. */
const CONFIRM_MS = 5_000

/**
 * Removes the record, makes sure that the catalog shows it, and waits out the drain. `record` is undefined where another has the id.
 * @throws ProconsulError `PROCONSUL_TIMEOUT`, or the signal's reason, when the agent could not be told in time
 */
export async function depart(record: RecordKeeper | undefined, options: DepartureOptions): Promise<void> {
  try {
    if (record !== undefined) await removeInTime(record, options)
  } finally {
    await options.onRemoved()
  }
  if (record !== undefined) await confirmInTime(record, options)
  await waitOut(options)
}

/** Removes the record where the agent may have it. Rejects with `PROCONSUL_TIMEOUT`, or with the signal's reason, when the agent could not be told in time. */
async function removeInTime(record: RecordKeeper, options: DepartureOptions): Promise<void> {
  const { id, timeoutMs } = options
  if (!record.mayBeThere) return
  const message = `${id} could not be deregistered within ${formatDuration(timeoutMs)}; its check will lapse by itself`
  const onTimeout = (): ProconsulError => new ProconsulError('PROCONSUL_TIMEOUT', message)
  await withDeadline({ ...options, onTimeout }, (signal) => record.remove(signal))
}

/** Waits until the catalog shows that the instance is gone. Past a bound it goes on all the same: the agent will see to it later. */
async function confirmInTime(record: RecordKeeper, { clock, signal, onDoubt }: DepartureOptions): Promise<void> {
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
async function waitOut({ drainMs, clock, signal, halted }: DepartureOptions): Promise<void> {
  const link = new AbortLink(signal, halted)
  try {
    await sleep(drainMs, { clock, signal: link.signal })
  } catch (error) {
    if (!link.signal.aborted) throw error
  } finally {
    link.unlink()
  }
}
