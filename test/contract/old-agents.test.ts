/** What an agent that does not know an option would answer with everything is refused by the client, and shows nothing. */
import { expect } from 'vitest'
import { discoveryClient } from '../integration/discovery-client.js'
import { kept } from '../support/opened.js'
import { contract } from './support/contract.js'

contract('a query of the client', ({ agent, before, http }) => {
  const unsupported = { code: 'PROCONSUL_UNSUPPORTED' }

  before('1.13.0', 'it knows cluster peers')(
    'for the instances of a peer is refused, watched or read once',
    async () => {
      await http.put('/v1/agent/service/register', { Name: 'web', Port: 80 })
      const { discovery } = kept(discoveryClient({ address: agent().url }))
      for (const watcher of [discovery.watchService('web', { peer: 'east' }), discovery.watchNodes({ peer: 'east' })]) {
        await expect(watcher.ready()).rejects.toMatchObject(unsupported)
        expect(watcher.receivedAt).toBeUndefined()
      }
      await expect(discovery.discover('web', { peer: 'east' })).rejects.toMatchObject(unsupported)
    },
  )

  before('1.14.11', 'it filters the list of services')('for some of all services is refused', async () => {
    const { discovery } = kept(discoveryClient({ address: agent().url }))
    const watcher = discovery.watchServices({ filter: 'ServiceName == "web"' })
    await expect(watcher.ready()).rejects.toMatchObject(unsupported)
    expect(watcher.services).toEqual([])
  })
})
