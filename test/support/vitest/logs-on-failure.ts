import { beforeEach } from 'vitest'
import { takeStartedAgents } from '../consul-agent.js'

/** When a test fails, prints the end of the log of each agent that ran during it. */
beforeEach(({ onTestFailed }) => {
  takeStartedAgents()
  onTestFailed(async () => {
    for (const agent of takeStartedAgents()) console.error(await agent.logTail())
  })
})
