/** Finds, or fetches, the real Consul that the tests use, and prints its path and version. */
import { findConsul } from '../test/support/consul-binary.js'
import { runTask } from './project.js'

await runTask(async () => {
  const source = await findConsul()
  console.log(`${source.kind === 'binary' ? source.path : source.image} ${source.version}`)
  return 0
})
