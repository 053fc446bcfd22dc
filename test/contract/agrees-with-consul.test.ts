/** The same raw requests to the embedded agent and to a real one, answer by answer. */
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { answersOf } from './support/exchange.js'
import { EXCHANGES } from './support/exchanges.js'
import { HAS_REAL_CONSUL, SUBJECTS, type RunningSubject, type Subject } from './support/subject.js'

const real = SUBJECTS.find(({ name }) => name.startsWith('real'))
/** The embedded agent of the same generation. */
const twin = SUBJECTS.find(
  ({ name, version }) =>
    name.startsWith('embedded') && version.startsWith(real?.version.startsWith('1.8') ? '1.8' : '1.22'),
)

describe.skipIf(!HAS_REAL_CONSUL || real?.version !== twin?.version)(
  'the embedded agent answers as the real one does',
  () => {
    let agents: { readonly real: RunningSubject; readonly twin: RunningSubject }
    beforeAll(async () => {
      const start = (subject: Subject | undefined): Promise<RunningSubject> => subject?.start({}) ?? expect.fail('none')
      agents = { real: await start(real), twin: await start(twin) }
    })
    afterAll(async () => {
      await agents.real.close()
      await agents.twin.close()
    })

    test.each(Object.entries(EXCHANGES))('to %s', async (_what, exchanges) => {
      const expected = await answersOf(agents.real, exchanges)
      expect(await answersOf(agents.twin, exchanges)).toEqual(expected)
      expect(expected).toHaveLength(exchanges.length)
    })
  },
)
