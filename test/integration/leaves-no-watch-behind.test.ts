import { expect, it } from 'vitest'
import { startConsul } from '../support/consul-agent.js'
import { expectNoLeaks } from '../support/leak-check.js'
import { discoveryClient } from './discovery-client.js'

// By itself in this file: the connections of other tests' clients would be found as well.
it('leaves no timer, socket or listener behind when the client is closed, also in the middle of an outage', async () => {
  await using agent = await startConsul()
  await expectNoLeaks(async () => {
    await using own = discoveryClient({ address: agent.url })
    await using gone = discoveryClient({ address: 'http://127.0.0.1:1' })
    const watcher = own.discovery.watchService('consul')
    await watcher.ready()
    expect(watcher.instances).toHaveLength(1)
    const failing = gone.discovery.watchService('tidy')
    await new Promise((resolve) => failing.once('error', resolve))
    await own.discovery.watchService('consul', { passingOnly: false }).close()
  })
})
