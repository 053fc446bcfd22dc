import { AgentApi } from '../../../src/api/agent.js'
import { systemClock } from '../../../src/core/clock.js'
import { formatBoot, ownBoot, type Boot } from '../../../src/registration/identity/boot.js'
import { liveRuns } from '../../../src/registration/identity/live-runs.js'
import { resolveDefinition } from '../../../src/registration/definition/resolve-definition.js'
import type { ServiceDefinition } from '../../../src/registration/definition/service-definition.js'
import { ConsulRegistry } from '../../../src/registration/record/consul-registry.js'
import type { RegistryRecord } from '../../../src/registration/record/record.js'
import type { Registry } from '../../../src/registration/record/registry.js'
import { Registrar } from '../../../src/registration/registrar.js'
import { ConsulHttpClient } from '../../../src/http/consul-http-client.js'
import { resolveOptions } from '../../../src/options/client-options.js'
import { WatchEngine } from '../../../src/watch/watch-engine.js'
import { MemoryRegistry, MemoryStore } from '../../support/memory-registry.js'
import { recordingLogger } from '../../support/recording-logger.js'
import { SUBJECTS, type Subject } from './subject.js'

/** A running registry as its contract is held against it. */
export interface RunningRegistry {
  /** A client of its own, as another process has. */
  client(): Pick<Registrar, 'registerService'> & { leave(): Promise<void> }
  /** The record of one service, as another run would write it. */
  record(definition: ServiceDefinition, boot?: Boot): RegistryRecord
  /** Ids of the services of a name that callers find. */
  found(name: string): Promise<readonly string[]>
  /** Whether it holds something under an id. */
  has(id: string): Promise<boolean>
  /** Loses a service. */
  forget(id: string): Promise<void>
  close(): Promise<void>
}

/** A registry that is held to the contract. */
export interface RegistrySubject {
  readonly name: string
  readonly start: () => Promise<RunningRegistry>
}

const runtime = { clock: systemClock, random: Math.random, logger: recordingLogger() }

/** What is the same for all: clients over a registry, and records of runs. */
function running(makeRegistry: () => { registry: Registry; close(): Promise<void> }) {
  const closings: (() => Promise<void>)[] = []
  const open = (): Registry => {
    const made = makeRegistry()
    closings.push(() => made.close())
    return made.registry
  }
  return {
    client: () => {
      const target = () => Promise.reject(new Error('no heartbeat thread here'))
      const registrar = new Registrar({ runtime, registry: open(), target })
      const leave = async (): Promise<void> => {
        await registrar.leave(new AbortController().signal)
        await registrar.close()
      }
      closings.push(leave)
      return { registerService: registrar.registerService.bind(registrar), leave }
    },
    record: (definition: ServiceDefinition, boot: Boot = ownBoot()) => {
      // Records of this process count as those of runs that live.
      liveRuns().add(boot.runId)
      return open().open(resolveDefinition(definition, { hostname: 'here', boot: formatBoot(boot) }), boot)
    },
    close: async () => {
      for (const close of closings.splice(0).reverse()) await close()
    },
  }
}

const MEMORY: RegistrySubject = {
  name: 'in memory',
  start: () => {
    const store = new MemoryStore()
    return Promise.resolve({
      ...running(() => ({ registry: new MemoryRegistry(store), close: () => Promise.resolve() })),
      found: (name) => Promise.resolve(store.found(name)),
      has: (id) => Promise.resolve(store.entries.has(id)),
      forget: (id) => {
        store.forget(id)
        return Promise.resolve()
      },
    })
  },
}

function consul(subject: Subject): RegistrySubject {
  return { name: subject.name, start: () => startConsulRegistry(subject) }
}

async function startConsulRegistry(subject: Subject): Promise<RunningRegistry> {
  const agent = await subject.start({})
  const { connection, watch } = resolveOptions({ address: agent.url }, {})
  const http = new ConsulHttpClient(connection, runtime)
  const api = new AgentApi(http)
  const shared = running(() => {
    const own = new ConsulHttpClient(connection, runtime)
    const plainReads = { enter: () => Promise.resolve(), leave: () => undefined }
    const engine = new WatchEngine(runtime, { blockingPlaces: own.watchLane.size, plainReads }, watch)
    const onTokenChange = () => () => undefined
    const registry = new ConsulRegistry({
      runtime,
      http: own,
      engine,
      endpoint: connection,
      environment: {},
      onTokenChange,
    })
    const close = async (): Promise<void> => {
      registry.close()
      await engine.close()
      own.close()
    }
    return { registry, close }
  })
  return {
    ...shared,
    found: async (name) => {
      const response = await fetch(`${agent.url}/v1/health/service/${name}?passing`)
      return ((await response.json()) as { Service: { ID: string } }[]).map(({ Service }) => Service.ID)
    },
    has: async (id) => (await api.services.get(id)).value !== undefined,
    forget: (id) => api.services.deregister(id),
    close: async () => {
      await shared.close()
      http.close()
      await agent.close()
    },
  }
}

/** Everyone held to the contract of a registry. */
export const REGISTRIES: readonly RegistrySubject[] = [MEMORY, ...SUBJECTS.map(consul)]
