import { ProconsulError, type ProconsulErrorCode } from '../../../src/errors/proconsul-error.js'
import type { Confirmed, Hold, LiveSource, Observer } from '../../../src/live/live-source.js'
import { LiveView, type LiveParts } from '../../../src/live/live-view.js'
import { FakeClock } from '../../support/fake-clock.js'
import { recordingLogger } from '../../support/recording-logger.js'

export interface Text extends Confirmed {
  readonly text: string
}

/** A source whose news a test gives by hand. */
export class PlayedSource implements LiveSource<Text> {
  readonly label = 'the text'
  readonly calls: string[] = []
  /** Called while it is asked to observe. */
  atOnce: (source: PlayedSource) => void = () => undefined
  #observer: Observer<Text> | undefined
  #at = 1_000

  observe(observer: Observer<Text>): Hold {
    this.#observer = observer
    this.atOnce(this)
    const call = (name: string) => (): void => void this.calls.push(name)
    return { pause: call('pause'), resume: call('resume'), refresh: call('refresh'), close: call('close') }
  }

  value(text: string, confirmedAt = (this.#at += 1)): void {
    this.#observer?.onValue({ text, confirmedAt })
  }

  saved(text: string, confirmedAt: number): void {
    this.#observer?.onSaved({ text, confirmedAt })
  }

  failure(code: ProconsulErrorCode = 'PROCONSUL_UNAVAILABLE'): void {
    this.#observer?.onFailure(failure(code))
  }

  doubt(): void {
    this.#observer?.onDoubt(failure('PROCONSUL_CONFLICT'))
  }

  problem(): void {
    this.#observer?.onProblem(failure('PROCONSUL_CACHE_FAILED'))
  }
}

function failure(code: ProconsulErrorCode): ProconsulError {
  return new ProconsulError(code, 'a played failure')
}

/** A view of a text; a change is the two texts. */
export class TextView extends LiveView<Text, string, string> {
  // A field of the subclass, set after the constructor of the view has observed the source.
  readonly #prefix: string

  constructor(parts: LiveParts<Text>, prefix = '') {
    super(parts)
    this.#prefix = prefix
  }

  protected override present(): string {
    const { state } = this
    return state.type === 'starting' ? 'nothing' : this.#prefix + (state.fact?.text ?? 'nothing')
  }

  protected override changeOf(next: Text, previous: Text | undefined): string | undefined {
    return next.text === previous?.text ? undefined : `${previous?.text ?? ''}>${next.text}`
  }
}

/** A view of a played source with everything that it told. */
export function played(
  options: { readonly signal?: AbortSignal; readonly atOnce?: (source: PlayedSource) => void } = {},
) {
  const clock = new FakeClock()
  const logger = recordingLogger()
  const source = new PlayedSource()
  source.atOnce = options.atOnce ?? source.atOnce
  const told: string[] = []
  const view = new TextView({
    runtime: { clock, random: () => 0.5, logger },
    source,
    signal: options.signal,
    onClose: () => void told.push('onClose'),
  })
  view.on('change', (change) => told.push(`change ${change}`))
  view.on('stale', ({ error }) => told.push(`stale ${error.code}`))
  view.on('recovered', () => told.push('recovered'))
  view.on('error', ({ code }) => told.push(`error ${code}`))
  view.on('closed', () => told.push('closed'))
  const events = (): unknown[] => logger.entries.map(({ fields }) => fields['event'])
  return { clock, source, view, told, logger, events }
}
