/**
 * `npm run demo`: the main job, played by three small services in processes of their own. Uses the Consul at CONSUL_HTTP_ADDR if that
 * is set; with `--real`, one that the launcher finds or fetches; else the embedded agent. Ends by itself with exit code 0, or names what
 * went wrong.
 */
import { freshBuild } from './fresh-build.js'
import { runTask } from './project.js'

await runTask(async () => {
  await freshBuild()
  // It imports the package by its name, so the build has to be there first.
  const { playDemo } = await import('./demo/story.js')
  await playDemo({ real: process.argv.includes('--real') })
  return 0
})
