import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import {
  formatBoot,
  isAlive,
  mayBeForerunner,
  ownBoot,
  parseBoot,
  type Boot,
} from '../../../../src/registration/identity/boot.js'
import { liveRuns } from '../../../../src/registration/identity/live-runs.js'
import { pidSpace } from '../../../../src/registration/identity/pid-space.js'

const HERE = { hostname: 'host', thread: 0, pidSpace: '0123456789abcdef' } as const
const own: Boot = { ...HERE, pid: 10, runId: '11111111-1111-4111-8111-111111111111' }
const other: Boot = { ...HERE, pid: 11, runId: '22222222-2222-4222-8222-222222222222' }
const CONTAINER = 'fedcba9876543210'
const processes =
  (...pids: number[]) =>
  (pid: number) =>
    pids.includes(pid)

describe('a boot id', () => {
  it('survives its way through the metadata', () => {
    fc.assert(
      fc.property(fc.uuid(), fc.nat(), fc.nat(), fc.string({ minLength: 1 }), (runId, pid, thread, hostname) => {
        const boot = { runId, pid, thread, pidSpace: HERE.pidSpace, hostname }
        expect(parseBoot(formatBoot(boot))).toEqual(boot)
      }),
    )
    const unknown = { ...own, hostname: 'web.1.example', pidSpace: undefined }
    expect(parseBoot(formatBoot(unknown))).toEqual(unknown)
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

  it('is dead when its pid is ours now', () => {
    expect(isAlive({ ...other, pid: own.pid }, own, processes(10), new Set())).toBe(false)
  })

  it('is alive when it belongs to another client of this process', () => {
    expect(isAlive({ ...other, pid: own.pid }, own, processes(10), new Set([other.runId]))).toBe(true)
  })

  it('is not judged from another thread of its process, which does not know its clients', () => {
    expect(isAlive({ ...other, pid: own.pid, thread: 3 }, own, processes(10), new Set())).toBeUndefined()
    expect(isAlive({ ...other, thread: 3 }, own, processes(10))).toBe(false)
  })

  it.each([
    ['with our pid, which is another process there', own.pid],
    ['with a pid that nobody has here', other.pid],
  ])('is not judged from another PID namespace: one %s', (_which, pid) => {
    expect(isAlive({ ...other, pid, pidSpace: CONTAINER }, own, processes(10), new Set())).toBeUndefined()
    expect(isAlive({ ...other, pid, pidSpace: undefined }, own, processes(10), new Set())).toBeUndefined()
    const blind = { ...own, pidSpace: undefined }
    expect(isAlive({ ...other, pid, pidSpace: undefined }, blind, processes(10), new Set())).toBeUndefined()
  })

  it('is judged under another host name when the PID namespace is ours', () => {
    expect(isAlive({ ...other, hostname: 'before' }, own, processes(10))).toBe(false)
    expect(isAlive({ ...other, hostname: 'before' }, own, processes(10, 11))).toBe(true)
  })

  it('may be what a restarted container was before, unless it is known to live or has another host name', () => {
    expect(mayBeForerunner({ ...other, pidSpace: CONTAINER }, own)).toBe(true)
    expect(mayBeForerunner({ ...other, pid: process.pid }, own)).toBe(false)
    expect(mayBeForerunner({ ...other, pidSpace: CONTAINER, hostname: 'elsewhere' }, own)).toBe(false)
  })

  it('is known to other copies of the package, which share the process', () => {
    expect(Reflect.get(globalThis, Symbol.for('proconsul.runs'))).toBe(liveRuns())
  })

  it('is not judged from another machine of the same host name', () => {
    expect(isAlive({ ...other, pidSpace: CONTAINER }, own, processes())).toBeUndefined()
  })
})

describe('the place where a pid counts', () => {
  const kernel = (boot: string, namespace: string) => ({ read: () => `${boot}\n`, link: () => namespace })

  it('is one PID namespace of one running kernel', () => {
    const spaces = [
      kernel('boot-1', 'pid:[4026531836]'),
      kernel('boot-1', 'pid:[4026532179]'),
      kernel('boot-2', 'pid:[4026531836]'),
    ].map((facts) => pidSpace('linux', facts))
    expect(new Set(spaces).size).toBe(3)
    expect(pidSpace('linux', kernel('boot-1', 'pid:[4026531836]'))).toBe(spaces[0])
  })

  it('is unknown where the kernel does not tell, and the machine where there are no namespaces', () => {
    const silent = {
      read: () => {
        throw new Error('ENOENT')
      },
      link: () => '',
    }
    expect(pidSpace('linux', silent)).toBeUndefined()
    expect(pidSpace('darwin', silent)).toMatch(/^[0-9a-f]{16}$/)
  })
})
