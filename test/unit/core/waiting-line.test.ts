import { getEventListeners } from 'node:events'
import { describe, expect, it } from 'vitest'
import { WaitingLine } from '../../../src/core/waiting-line.js'
import { ProconsulError, isProconsulError } from '../../../src/errors/proconsul-error.js'

const closed = (): ProconsulError => new ProconsulError('PROCONSUL_CLOSED', 'closed')

describe('a waiting line', () => {
  it('serves whoever came first', async () => {
    const line = new WaitingLine<string, number>()
    const served: number[] = []
    const waits = [1, 2].map((request) => line.wait(request).then(() => served.push(request)))
    expect(line.size).toBe(2)
    line.first()?.give('a place')
    line.first()?.give('a place')
    await Promise.all(waits)
    expect(served).toEqual([1, 2])
    expect(line.size).toBe(0)
  })

  it('finds the first whose request fits, and leaves the others where they are', async () => {
    const line = new WaitingLine<string, { hot: boolean }>()
    const cold = line.wait({ hot: false })
    const hot = line.wait({ hot: true })
    line.first(({ hot: isHot }) => isHot)?.give('hot')
    expect(await hot).toBe('hot')
    expect(line.size).toBe(1)
    expect(line.first(({ hot: isHot }) => isHot)).toBeUndefined()
    line.first()?.give('cold')
    expect(await cold).toBe('cold')
  })

  it('lets go of a caller whose signal is aborted, with the reason of the signal', async () => {
    const line = new WaitingLine<string>()
    const controller = new AbortController()
    const wait = line.wait(undefined, controller.signal)
    const reason = closed()
    controller.abort(reason)
    await expect(wait).rejects.toBe(reason)
    expect(line.size).toBe(0)
  })

  it('does not let a caller in whose signal is aborted already', async () => {
    const line = new WaitingLine<string>()
    await expect(line.wait(undefined, AbortSignal.abort())).rejects.toSatisfy((error) =>
      isProconsulError(error, 'PROCONSUL_ABORTED'),
    )
    expect(line.size).toBe(0)
  })

  it('leaves no listener on a signal, however a wait ends', async () => {
    const line = new WaitingLine<string>()
    const { signal } = new AbortController()
    const waits = [line.wait(undefined, signal), line.wait(undefined, signal)]
    expect(getEventListeners(signal, 'abort')).toHaveLength(2)
    line.first()?.give('value')
    line.first()?.refuse(closed())
    await Promise.allSettled(waits)
    expect(getEventListeners(signal, 'abort')).toHaveLength(0)
  })

  it('gives all who wait the same value, or the same error', async () => {
    const line = new WaitingLine<number>()
    const waits = [line.wait(), line.wait()]
    line.giveAll(7)
    expect(await Promise.all(waits)).toEqual([7, 7])
    const refused = [line.wait(), line.wait()]
    const error = closed()
    line.refuseAll(error)
    expect(await Promise.allSettled(refused)).toEqual([
      { status: 'rejected', reason: error },
      { status: 'rejected', reason: error },
    ])
  })

  it('ends a wait once: what comes after the value is too late', async () => {
    const line = new WaitingLine<string>()
    const controller = new AbortController()
    const wait = line.wait(undefined, controller.signal)
    line.first()?.give('first')
    controller.abort()
    line.giveAll('second')
    expect(await wait).toBe('first')
  })

  it('lists those who wait at the moment, though they leave while it is read', () => {
    const line = new WaitingLine<string, number>()
    void line.wait(1)
    void line.wait(2)
    const requests: number[] = []
    for (const waiter of line) {
      requests.push(waiter.request)
      waiter.give('value')
    }
    expect(requests).toEqual([1, 2])
    expect(line.size).toBe(0)
  })
})
