import { afterEach } from 'vitest'
import type { ProconsulOptions } from '../../src/options/client-options.js'
import { Proconsul } from '../../src/proconsul.js'
import { startConsul, type ConsulAgent } from './consul-agent.js'
import type { ConsulOptions } from './consul-options.js'

/** What a test opens is closed after it, whatever becomes of the test; what was opened last goes first. */
const closings: (() => unknown)[] = []

afterEach(async () => {
  for (const close of closings.splice(0).reverse()) await close()
})

/** Runs `close` after the test. */
export function afterTest(close: () => unknown): void {
  closings.push(close)
}

/** The same thing, disposed of after the test. */
export function kept<T extends AsyncDisposable>(thing: T): T {
  afterTest(() => thing[Symbol.asyncDispose]())
  return thing
}

/** A real Consul of the test's own. */
export async function consulAgent(options: ConsulOptions = {}): Promise<ConsulAgent> {
  const agent = await startConsul(options)
  afterTest(() => agent.close())
  return agent
}

/** A client that does not wait for long. */
export function client(address: string, options: ProconsulOptions = {}): Proconsul {
  const made = new Proconsul({ address, timeout: '3s', ...options })
  afterTest(() => made.close({ timeout: '1s' }))
  return made
}
