import { hostname } from 'node:os'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { startConsul, type ConsulAgent } from '../support/consul-agent.js'
import { eventually } from '../support/eventually.js'
import type { ExampleProcess } from '../support/example-process.js'
import { afterTest, consulAgent } from '../support/opened.js'
import { startProgram, type WrittenOptions } from '../support/written-program.js'

/** Programs as users write them, each in a process of its own, told to stop. What counts is how they end and what stays in Consul. */

let agent: ConsulAgent
beforeAll(async () => {
  agent = await startConsul()
})
afterAll(() => agent.close())

const registered = async (): Promise<readonly string[]> => Object.keys(await agent.read<object>('/v1/agent/services'))

const run = (source: string, options: WrittenOptions = {}): Promise<ExampleProcess> =>
  startProgram(source, { CONSUL_HTTP_ADDR: agent.address }, options)

/** Nobody listens there. */
const NOBODY = 'http://127.0.0.1:9'

/** A service that drains for as long as it takes to be told again. */
const draining = (drain: string, beforehand = ''): string => `
  import { Proconsul } from 'proconsul'
  ${beforehand}
  const consul = new Proconsul()
  consul.shutdownOnSignals({
    drain: '${drain}',
    onDrained: () => console.log('drained'),
    onClosed: ({ leftBehind }) => console.log(leftBehind.length + ' left behind'),
  })
  await consul.registerService({ name: 'orders', address: '127.0.0.1', port: 3000 })
  console.log('registered')
`

describe('a service that is told to stop', () => {
  it.each<readonly NodeJS.Signals[]>([
    ['SIGTERM', 'SIGTERM'],
    ['SIGTERM', 'SIGTERM', 'SIGINT'],
    ['SIGINT', 'SIGINT', 'SIGINT'],
    ['SIGTERM', 'SIGINT'],
  ])(
    'by the same order given again within milliseconds (%s, %s) leaves in order, leaving nothing behind',
    async (...signals) => {
      const service = await run(draining('300ms'))
      await service.toPrint(/registered/)
      const { code, signal } = await service.end(...signals)
      expect(code).toBeNull()
      // Of several that are pending, the system says which comes first.
      expect(signals).toContain(signal)
      expect(service.output).toBe('registered\ndrained\n0 left behind\n')
      expect(service.errors).toBe('')
      expect(await registered()).toEqual([])
    },
  )

  it('by a signal to its process group, and by its launcher once more, leaves in order', async () => {
    const service = await run(draining('300ms'), { ownGroup: true })
    await service.toPrint(/registered/)
    service.sendToGroup('SIGTERM')
    expect(await service.end('SIGTERM', 'SIGTERM')).toMatchObject({ code: null, signal: 'SIGTERM' })
    expect(service.output).toBe('registered\ndrained\n0 left behind\n')
    expect(await registered()).toEqual([])
  })

  it('by a second Ctrl-C a second after the first ends at once, and says so', async () => {
    const service = await run(draining('8s'))
    await service.toPrint(/registered/)
    const begun = performance.now()
    service.send('SIGINT')
    await eventually(async () => expect(await registered()).toEqual([]))
    await eventually(() => expect(performance.now() - begun).toBeGreaterThan(1_100))
    expect(await service.end('SIGINT')).toMatchObject({ code: null, signal: 'SIGINT' })
    expect(service.output).toBe('registered\n')
    expect(service.errors).toContain('[PROCONSUL_LEFT_BEHIND] ProconsulWarning: a second SIGINT ended the process')
  })

  it('while it closes by itself already, runs on to the end of that and ends by the signal', async () => {
    const service = await run(`${draining('0s')}
      void consul.close({ drain: '500ms', onDrained: () => console.log('own hook') })
      console.log('closing')
    `)
    await service.toPrint(/closing/)
    expect(await service.end('SIGTERM')).toMatchObject({ code: null, signal: 'SIGTERM' })
    expect(service.output).toBe('registered\nclosing\nown hook\n0 left behind\n')
    expect(await registered()).toEqual([])
  })
})

describe('a service that is told to stop before it has started', () => {
  const READY =
    "consul.shutdownOnSignals({ drain: '5s', onDrained: () => console.log('hook') }); console.log('listening')"
  const REGISTER = "await consul.registerService({ name: 'orders', address: '127.0.0.1', port: 3000 })"

  it.each<[string, string, WrittenOptions]>([
    ['awaits registerService at its top level', `${READY}; ${REGISTER}`, {}],
    [
      'awaits registerService in CommonJS',
      `async function main() { ${READY}; ${REGISTER} }; main()`,
      { extension: 'cjs' },
    ],
    [
      'ends the process when its start fails',
      `async function main() { ${READY}; ${REGISTER} }; main().catch(() => process.exit(1))`,
      {},
    ],
    ['registers in the background', `${READY}; ${REGISTER.replace('})', '}, { background: true })')}`, {}],
    ['awaits the first answer of a watcher', `${READY}; await consul.watchService('users').ready()`, {}],
    ['awaits its configuration', `${READY}; await consul.config({ layers: ['config/orders'], timeout: '1m' })`, {}],
    ['awaits a key', `${READY}; await consul.kv.watch('config/orders').ready()`, {}],
    [
      'handles signals only after it has begun to register',
      `const registering = ${REGISTER.slice(6)}; ${READY}; await registering`,
      {},
    ],
  ])('and %s leaves in order, at once, and ends by the signal', async (_what, body, options) => {
    const head =
      options.extension === 'cjs'
        ? "const load = import('proconsul'); let consul; load.then(({ Proconsul }) => {"
        : "import { Proconsul } from 'proconsul'"
    const make = `consul = new Proconsul({ address: '${NOBODY}' });`
    const source = options.extension === 'cjs' ? `${head} ${make} ${body} })` : `${head}; const ${make} ${body}`
    const service = await run(source, options)
    await service.toPrint(/listening/)
    const ending = await service.end('SIGTERM')
    expect(ending).toMatchObject({ code: null, signal: 'SIGTERM' })
    expect(service.output).toBe('listening\nhook\n')
    expect(service.errors).not.toContain('Error')
    // No drain: nobody can have found it.
    expect(ending.tookMs).toBeLessThan(5_000)
  })

  it('and leaves the end to itself hears of it only when it has left', async () => {
    const service = await run(`
      import { Proconsul } from 'proconsul'
      const consul = new Proconsul({ address: '${NOBODY}' })
      consul.shutdownOnSignals({ endProcess: false, onDrained: () => console.log('hook'), onClosed: () => console.log('closed') })
      console.log('listening')
      try {
        await consul.registerService({ name: 'orders', address: '127.0.0.1', port: 3000 })
      } catch ({ code }) {
        console.log(code)
        process.exit(7)
      }
    `)
    await service.toPrint(/listening/)
    expect(await service.end('SIGTERM')).toMatchObject({ code: 7, signal: null })
    expect(service.output).toMatch(/^listening\nhook\n(?:closed\nPROCONSUL_CLOSED|PROCONSUL_CLOSED\nclosed)\n$/)
  })
})

it('with all defaults, while the agent is frozen, runs the hook and ends before Docker would kill it', async () => {
  const frozen = await consulAgent()
  const service = await startProgram(
    `
    import { Proconsul } from 'proconsul'
    const consul = new Proconsul()
    consul.shutdownOnSignals({ onDrained: () => console.log('hook') })
    await consul.registerService({ name: 'orders', address: '127.0.0.1', port: 3000 })
    console.log('registered')
  `,
    { CONSUL_HTTP_ADDR: frozen.address },
  )
  await service.toPrint(/registered/)
  await frozen.pause()
  const ending = await service.end('SIGTERM')
  expect(ending).toMatchObject({ code: null, signal: 'SIGTERM' })
  expect(service.output).toBe('registered\nhook\n')
  expect(ending.tookMs).toBeLessThan(10_000)
})

describe('a service among others who listen for its signals', () => {
  const warning = '[PROCONSUL_OTHER_LISTENER] ProconsulWarning: something else listens for SIGTERM as well'

  it('a framework that closes and raises the signal again: the service drains on, and says that the framework is there', async () => {
    const framework = `
      const close = () => {
        console.log('framework closed')
        process.removeListener('SIGTERM', close)
        process.kill(process.pid, 'SIGTERM')
      }
      process.on('SIGTERM', close)
    `
    const service = await run(draining('300ms', framework))
    await service.toPrint(/registered/)
    expect(await service.end('SIGTERM')).toMatchObject({ code: null, signal: 'SIGTERM' })
    expect(service.output).toBe('registered\nframework closed\ndrained\n0 left behind\n')
    expect(service.errors).toContain(warning)
    expect(await registered()).toEqual([])
  })

  it('a handler that calls process.exit: the warning came at the start, and the end says what may be left', async () => {
    const service = await run(`${draining('300ms')}
      process.on('SIGTERM', () => process.exit(0))
    `)
    afterTest(() => agent.request('PUT', `/v1/agent/service/deregister/orders-${hostname()}-3000`))
    await service.toPrint(/registered/)
    await eventually(() => expect(service.errors).toContain(warning))
    expect(await service.end('SIGTERM')).toMatchObject({ code: 0, signal: null })
    expect(service.errors).toContain('the process was ended, as by process.exit() before the shutdown was done')
  })
})

it('a worker thread gets no signals, and is told so', async () => {
  const service = await run(
    `
    import { Worker, isMainThread } from 'node:worker_threads'
    import { Proconsul } from 'proconsul'
    if (isMainThread) {
      new Worker(new URL(import.meta.url)).on('message', (text) => console.log(text))
    } else {
      const { parentPort } = await import('node:worker_threads')
      const consul = new Proconsul()
      try {
        consul.shutdownOnSignals()
      } catch ({ code, message }) {
        parentPort.postMessage(code + ': ' + message)
      }
    }
  `,
    { built: true },
  )
  expect(await service.toPrint(/^(.*)\n/)).toMatch(
    /^PROCONSUL_INVALID_OPTION: shutdownOnSignals is called in a worker thread, which gets no signals/,
  )
})
