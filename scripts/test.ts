/**
 * Runs every tier of the tests that can run here, or those named: `npm test`, `npm test -- unit integration`. Other words go on to
 * vitest: `npm test -- harness launcher` runs the files so named. The last line counts the tests.
 */
import { spawn } from 'node:child_process'
import { mkdirSync, readFileSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { findConsul } from '../test/support/consul-binary.js'
import type { Tally } from '../test/support/vitest/tally-reporter.js'
import { freshBuild } from './fresh-build.js'
import { CACHE, IS_CI, PROJECT, runTask } from './project.js'

const TIERS = ['unit', 'types', 'harness', 'contract', 'integration', 'fault', 'container'] as const
/** Contract tests are not among them: without a real Consul they still run on the embedded one. */
const NEED_CONSUL: readonly string[] = ['harness', 'integration', 'fault', 'container']
const TALLY = join(CACHE, 'logs', 'tally.json')

await runTask(async () => {
  const words = process.argv.slice(2)
  const isTier = (word: string): boolean => TIERS.some((tier) => tier === word)
  const named = words.filter(isTier)
  let tiers: string[] = named.length > 0 ? named : [...TIERS]
  tiers = await withoutConsulIfNone(tiers)
  tiers = await withoutContainersIfNone(tiers, named.includes('container'))
  await freshBuild()
  const code = await vitest(
    tiers,
    words.filter((word) => !isTier(word)),
  )
  return report(code)
})

async function withoutConsulIfNone(tiers: string[]): Promise<string[]> {
  if (!tiers.some((tier) => tier === 'contract' || NEED_CONSUL.includes(tier))) return tiers
  try {
    const { version, origin } = await findConsul()
    console.log(`real Consul: ${version} (${origin})`)
    return tiers
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error)
    if (IS_CI) throw error
    console.log(`real Consul: none found, so no ${NEED_CONSUL.join(', ')} tests (${reason.replaceAll('\n', '; ')})`)
    return tiers.filter((tier) => !NEED_CONSUL.includes(tier))
  }
}

async function withoutContainersIfNone(tiers: string[], asked: boolean): Promise<string[]> {
  if (!tiers.includes('container')) return tiers
  try {
    const { findConsulImage } = await import('../test/support/provision/container-image.js')
    const { image } = await findConsulImage()
    console.log(`container engine: answers, with ${image}`)
    return tiers
  } catch (error) {
    if (asked) throw error
    const reason = error instanceof Error ? error.message : String(error)
    console.log(`container engine: none to use, so no container tests (${reason})`)
    return tiers.filter((tier) => tier !== 'container')
  }
}

function vitest(tiers: readonly string[], rest: readonly string[]): Promise<number> {
  mkdirSync(join(CACHE, 'logs'), { recursive: true })
  rmSync(TALLY, { force: true })
  const projects = tiers.flatMap((tier) => ['--project', tier])
  const args = [join(PROJECT, 'node_modules/vitest/vitest.mjs'), 'run', ...projects, ...rest]
  const env = {
    ...process.env,
    PROCONSUL_TALLY: TALLY,
    ...(!process.stdout.isTTY && { FORCE_COLOR: undefined, NO_COLOR: '1' }),
  }
  const child = spawn(process.execPath, args, { stdio: 'inherit', env })
  return new Promise((resolve, reject) => {
    child.once('error', reject)
    child.once('close', (code, signal) => {
      if (signal) process.kill(process.pid, signal)
      resolve(code ?? 1)
    })
    for (const signal of ['SIGTERM', 'SIGHUP'] as const) process.on(signal, () => child.kill(signal))
    // A terminal sends this one to vitest as well; only our own end has to wait for vitest's.
    process.on('SIGINT', () => undefined)
  })
}

function report(code: number): number {
  let tally: Tally
  try {
    tally = JSON.parse(readFileSync(TALLY, 'utf8')) as Tally
  } catch {
    tally = { passed: 0, failed: 1, skipped: 0 }
  }
  // Vitest can also fail for a reason that is no test, such as a tier without any.
  if (code !== 0 && tally.failed === 0) tally.failed = 1
  const skipped = tally.skipped > 0 ? `, ${tally.skipped} skipped` : ''
  console.log(`${tally.passed} passed, ${tally.failed} failed${skipped}`)
  return tally.failed > 0 ? 1 : 0
}
