/**
 * What every source of instances has to fulfil, held against Consul, real and embedded, a fixed list, and the source of the examples.
 */
import { mkdtemp, rename, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { resolveServiceQuery } from '../../src/discovery/service-query.js'
import { ServiceReader } from '../../src/discovery/service-reader.js'
import type { InstanceList, InstanceSource } from '../../src/instances/instance-source.js'
import { defineInstance, type ServiceInstance } from '../../src/instances/service-instance.js'
import type { ServiceWatcher } from '../../src/instances/service-watcher.js'
import { watchInstances } from '../../src/instances/watch-instances.js'
import type { Observer } from '../../src/live/live-source.js'
import { discoveryClient } from '../integration/discovery-client.js'
import { eventually } from '../support/eventually.js'
import { afterTest, kept } from '../support/opened.js'
import { SUBJECTS } from './support/subject.js'
import { WireClient } from './support/wire-client.js'

/** A source, with a way to say what it is to have. Undefined: it always has the same two, `a` and `b`. */
interface Played {
  readonly source: InstanceSource
  readonly have?: (ids: readonly string[]) => Promise<void>
}

/** Each begins with the instances `a` and `b`. */
const SOURCES: readonly { readonly name: string; readonly start: () => Promise<Played> }[] = [
  ...SUBJECTS.map((subject) => ({ name: subject.name, start: () => onConsul(subject) })),
  { name: 'a fixed list', start: fixedList },
  { name: 'the JSON file of the examples', start: onFile },
]

async function onConsul(subject: (typeof SUBJECTS)[number]): Promise<Played> {
  const agent = await subject.start({})
  afterTest(() => agent.close())
  const http = new WireClient(() => ({ url: agent.url, token: undefined }))
  afterTest(() => http.close())
  const { engine, health, catalog } = kept(discoveryClient({ address: agent.url }, { wait: '500ms' }))
  let present: readonly string[] = []
  const have = async (ids: readonly string[]): Promise<void> => {
    const gone = present.filter((id) => !ids.includes(id))
    for (const id of gone) await http.put(`/v1/agent/service/deregister/${id}`, undefined)
    for (const ID of ids)
      await http.put('/v1/agent/service/register', { ID, Name: 'web', Address: '10.0.0.1', Port: 80 })
    present = ids
  }
  await have(['a', 'b'])
  return { source: new ServiceReader(engine, health, catalog).source(resolveServiceQuery('web')), have }
}

const fields = (id: string) => ({ id, name: 'web', address: '10.0.0.1', port: 80 })

function fixedList(): Promise<Played> {
  const instances = ['a', 'b'].map((id) => defineInstance(fields(id)))
  const observe = (observer: Observer<InstanceList>) => {
    observer.onValue({ instances, confirmedAt: Date.now(), isContinuous: true })
    return { close: () => undefined }
  }
  return Promise.resolve({ source: { label: 'a fixed list', observe } })
}

/** Plain JavaScript, as users may write it. */
const JSON_FILE_SOURCE = '../../examples/own-source/json-file-source.mjs'

async function onFile(): Promise<Played> {
  const folder = await mkdtemp(join(tmpdir(), 'proconsul-source-'))
  afterTest(() => rm(folder, { recursive: true }))
  const file = join(folder, 'web.json')
  const have = async (ids: readonly string[]): Promise<void> => {
    await writeFile(`${file}.new`, JSON.stringify(ids.map(fields)))
    await rename(`${file}.new`, file)
  }
  await have(['a', 'b'])
  const module = (await import(JSON_FILE_SOURCE)) as {
    readonly jsonFileSource: (path: string, interval: number) => InstanceSource
  }
  return { source: module.jsonFileSource(file, 20), have }
}

const ids = (instances: readonly Pick<ServiceInstance, 'id'>[]): string =>
  instances
    .map(({ id }) => id)
    .sort()
    .join()

/** Listens to the source itself. */
function listen(source: InstanceSource) {
  const lists: InstanceList[] = []
  const failures: unknown[] = []
  const hold = source.observe({
    onValue: (list) => void lists.push(list),
    onFailure: (error) => void failures.push(error),
    onDoubt: (error) => void failures.push(error),
    onSaved: (list) => void lists.push(list),
    onProblem: (error) => void failures.push(error),
  })
  afterTest(() => hold.close())
  const known = (): string | undefined => {
    const list = lists.at(-1)
    return list && ids(list.instances)
  }
  return { lists, failures, hold, known }
}

function follow(source: InstanceSource): ServiceWatcher {
  const watcher = watchInstances(source, { lossGuard: false })
  afterTest(() => watcher.close())
  return watcher
}

describe.each(SOURCES)('a source of instances: $name', ({ start }) => {
  test('has a label, and tells a first list that is right now', async () => {
    const { source } = await start()
    const began = Date.now()
    const { lists, failures, known } = listen(source)
    await eventually(() => expect(known()).toBe('a,b'))
    const [first] = lists
    expect(source.label).not.toBe('')
    expect(first?.confirmedAt).toBeGreaterThanOrEqual(began)
    expect(first?.confirmedAt).toBeLessThanOrEqual(Date.now())
    expect(typeof first?.isContinuous).toBe('boolean')
    expect(failures).toEqual([])
  })

  test('tells each who observes, also later, and one who leaves takes nothing from others', async () => {
    const { source, have } = await start()
    const [early, leaving] = [listen(source), listen(source)]
    await eventually(() => expect([early.known(), leaving.known()]).toEqual(['a,b', 'a,b']))
    await leaving.hold.close()
    const late = listen(source)
    await eventually(() => expect(late.known()).toBe('a,b'))
    const heard = leaving.lists.length
    await have?.(['a', 'b', 'c'])
    const expected = have === undefined ? 'a,b' : 'a,b,c'
    await eventually(() => expect([early.known(), late.known()]).toEqual([expected, expected]))
    expect(leaving.lists).toHaveLength(heard)
  })

  test('never tells an age that goes back, and says that its lists continue while nothing was lost', async () => {
    const { source, have } = await start()
    const { lists, known } = listen(source)
    await eventually(() => expect(known()).toBe('a,b'))
    for (const next of [['a'], ['a', 'b', 'c']]) {
      await have?.(next)
      await eventually(() => expect(known()).toBe(have === undefined ? 'a,b' : next.join()))
    }
    const ages = lists.map(({ confirmedAt }) => confirmedAt)
    expect(ages).toEqual(ages.toSorted((one, other) => one - other))
    expect(lists.slice(1).every(({ isContinuous }) => isContinuous)).toBe(true)
  })

  test('says what it has after a pause, and after a hint that it may be out of date', async () => {
    const { source, have } = await start()
    const { hold, known } = listen(source)
    await eventually(() => expect(known()).toBe('a,b'))
    hold.pause?.()
    await have?.(['a'])
    hold.resume?.()
    hold.refresh?.()
    await eventually(() => expect(known()).toBe(have === undefined ? 'a,b' : 'a'))
  })

  test('is followed with the events of every watcher', async () => {
    const { source, have } = await start()
    const watcher = follow(source)
    const told: string[] = []
    watcher.on('change', ({ added, removed }) => told.push(`+${ids(added)} -${ids(removed)}`))
    const { instances } = await watcher.ready({ timeout: '10s' })
    const kept = instances.find(({ id }) => id === 'b')
    expect(Object.isFrozen(kept)).toBe(true)
    if (have === undefined) return
    await have(['b', 'c'])
    await eventually(() => expect(ids(watcher.instances)).toBe('b,c'))
    expect(watcher.instances.find(({ id }) => id === 'b')).toBe(kept)
    await have([])
    await eventually(() => expect(watcher.instances).toEqual([]))
    expect(told[0]).toBe('+a,b -')
    expect(watcher.snapshot.stale).toBe(false)
  })
})
