import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { formatBoot, isAlive, ownBoot, parseBoot, type Boot } from '../../../../src/registration/identity/boot.js'
import { liveRuns } from '../../../../src/registration/identity/live-runs.js'

const own: Boot = { hostname: 'host', pid: 10, runId: '11111111-1111-4111-8111-111111111111' }
const other: Boot = { hostname: 'host', pid: 11, runId: '22222222-2222-4222-8222-222222222222' }
const processes =
  (...pids: number[]) =>
  (pid: number) =>
    pids.includes(pid)

describe('a boot id', () => {
  it('survives its way through the metadata', () => {
    fc.assert(
      fc.property(fc.uuid(), fc.nat(), fc.string({ minLength: 1 }), (runId, pid, hostname) => {
        expect(parseBoot(formatBoot({ runId, pid, hostname }))).toEqual({ runId, pid, hostname })
      }),
    )
    expect(parseBoot(undefined)).toBeUndefined()
    expect(parseBoot('something else')).toBeUndefined()
    expect(parseBoot(formatBoot(ownBoot()))?.pid).toBe(process.pid)
  })

  it('is alive while its process runs', () => {
    expect(isAlive(own, own)).toBe(true)
    expect(isAlive(other, own, processes(10, 11))).toBe(true)
    expect(isAlive(other, own, processes(10))).toBe(false)
    expect(isAlive({ ...other, pid: process.pid }, own)).toBe(true)
  })

  it('is dead when a restarted container has its host name and its pid again', () => {
    expect(isAlive({ ...other, pid: own.pid }, own, processes(10), new Set())).toBe(false)
  })

  it('is alive when it belongs to another client of this process', () => {
    expect(isAlive({ ...other, pid: own.pid }, own, processes(10), new Set([other.runId]))).toBe(true)
  })

  it('is known to other copies of the package, which share the process', () => {
    expect(Reflect.get(globalThis, Symbol.for('proconsul.runs'))).toBe(liveRuns())
  })

  it('is not judged from another host', () => {
    expect(isAlive({ ...other, hostname: 'elsewhere' }, own, processes())).toBeUndefined()
  })
})
