import { access, constants, mkdir, readdir, readFile, writeFile } from 'node:fs/promises'
import { delimiter, join } from 'node:path'
import { runCommand } from './process/run-command.js'
import type { ConsulImage } from './provision/container-image.js'
import { canFetchFromDebian, fetchDebianConsul } from './provision/debian-package.js'
import { withFileLock } from './provision/file-lock.js'
import { CONSUL_CACHE } from './provision/project-folder.js'

/** A real Consul that was found, and where. */
export type ConsulSource =
  | { readonly kind: 'binary'; readonly path: string; readonly version: string; readonly origin: string }
  | { readonly kind: 'container'; readonly image: string; readonly version: string; readonly origin: string }

/** A process hands what it found to its children here, so that no test worker searches again. */
const HANDED_DOWN = 'PROCONSUL_FOUND_CONSUL'
const PROVISION_WITHIN_MS = 300_000

/** No real Consul can be had here. The message lists what was tried and how each try ended. */
export class ConsulNotFoundError extends Error {
  override readonly name = 'ConsulNotFoundError'
}

let found: Promise<ConsulSource> | undefined

/**
 * Finds a real Consul, fetching one if it must: `CONSUL_BINARY`, an image named by `CONSUL_IMAGE`, `consul` on the path, the project's
 * cache, the default image through a container engine, Debian's package. The first two are a choice of the user, so they fail rather
 * than give way to the next. The answer is kept for this process and its children.
 */
export function findConsul(): Promise<ConsulSource> {
  found ??= search().then(
    (source) => {
      process.env[HANDED_DOWN] = JSON.stringify(source)
      return source
    },
    (error: unknown) => {
      process.env[HANDED_DOWN] = JSON.stringify({ failure: error instanceof Error ? error.message : String(error) })
      throw error
    },
  )
  return found
}

/** The same for tests that also have something to prove without a real Consul: undefined when there is none, but a failure in CI. */
export async function findConsulIfAny(): Promise<ConsulSource | undefined> {
  try {
    return await findConsul()
  } catch (error) {
    if (process.env['CI'] === 'true') throw error
    return undefined
  }
}

async function search(): Promise<ConsulSource> {
  const handedDown = process.env[HANDED_DOWN]
  if (handedDown !== undefined) {
    const answer = JSON.parse(handedDown) as ConsulSource | { readonly failure: string }
    if ('failure' in answer) throw new ConsulNotFoundError(answer.failure)
    return answer
  }
  const chosen = process.env['CONSUL_BINARY']
  if (chosen) return binary(chosen, 'CONSUL_BINARY')
  if (process.env['CONSUL_IMAGE']) return fromEngine()
  return (await onPath()) ?? (await newestCached()) ?? (await provision())
}

async function binary(path: string, origin: string): Promise<ConsulSource> {
  return { kind: 'binary', path, origin, version: await versionOf(path) }
}

async function versionOf(path: string): Promise<string> {
  const text = await runCommand(path, ['version'], { within: 20_000 })
  const version = /^Consul v(\S+)/m.exec(text)?.[1]
  if (version === undefined) throw new Error(`${path} does not answer "version" as Consul does: ${text.slice(0, 200)}`)
  return version
}

async function onPath(): Promise<ConsulSource | undefined> {
  for (const folder of (process.env['PATH'] ?? '').split(delimiter).filter(Boolean)) {
    const path = join(folder, 'consul')
    if (await isExecutable(path)) return binary(path, 'on the path')
  }
  return undefined
}

async function isExecutable(path: string): Promise<boolean> {
  return access(path, constants.X_OK).then(
    () => true,
    () => false,
  )
}

async function newestCached(): Promise<ConsulSource | undefined> {
  const folders = await readdir(CONSUL_CACHE).catch(() => [])
  const cached = await Promise.all(folders.map(readCached))
  return cached.filter((source) => source !== undefined).sort((a, b) => compareVersions(b.version, a.version))[0]
}

async function readCached(name: string): Promise<ConsulSource | undefined> {
  const folder = join(CONSUL_CACHE, name)
  const origin = await readFile(join(folder, 'origin.txt'), 'utf8').catch(() => undefined)
  return origin === undefined ? undefined : binary(join(folder, 'consul'), `cache, from ${origin}`)
}

async function provision(): Promise<ConsulSource> {
  await mkdir(CONSUL_CACHE, { recursive: true })
  return withFileLock(join(CONSUL_CACHE, 'lock'), PROVISION_WITHIN_MS, async () => {
    const meanwhile = await newestCached()
    if (meanwhile) return meanwhile
    const failures: string[] = []
    for (const attempt of [fromEngine, fromDebian]) {
      try {
        return await attempt()
      } catch (error) {
        failures.push(`${attempt.name}: ${error instanceof Error ? error.message : String(error)}`)
      }
    }
    throw new ConsulNotFoundError(
      `No real Consul here: CONSUL_BINARY is not set, none is on the path or in the cache.\n${failures.join('\n')}`,
    )
  })
}

async function fromEngine(): Promise<ConsulSource> {
  const { extractConsul, findConsulImage } = await import('./provision/container-image.js')
  const found = await findConsulImage()
  if (process.platform !== 'linux') return containerSource(found)
  const cached = await readCached(folderName(found.image))
  if (cached) return cached
  const origin = `image ${found.image}`
  return keep(folderName(found.image), origin, (folder, path) => extractConsul(found, folder, path))
}

/** Consul run in a container for each agent. Rejects without an engine or an image. */
export async function findConsulContainer(): Promise<ConsulSource> {
  const { findConsulImage } = await import('./provision/container-image.js')
  return containerSource(await findConsulImage())
}

async function containerSource({ client, image }: ConsulImage): Promise<ConsulSource> {
  const labels = (await client.container.dockerode.getImage(image).inspect()).Config.Labels as Record<
    string,
    string
  > | null
  const version = labels?.['version'] ?? labels?.['org.opencontainers.image.version'] ?? image.split(':').at(-1) ?? ''
  return { kind: 'container', image, version, origin: `image ${image}` }
}

async function fromDebian(): Promise<ConsulSource> {
  if (!canFetchFromDebian()) throw new Error('this machine has no apt with the keys of Debian')
  return keep('debian', "Debian's package", fetchDebianConsul)
}

/** Fills a folder of the cache; only once it works is it marked, by its origin, as usable. */
async function keep(
  name: string,
  origin: string,
  fill: (folder: string, binary: string) => Promise<void>,
): Promise<ConsulSource> {
  const folder = join(CONSUL_CACHE, name)
  await mkdir(folder, { recursive: true })
  const path = join(folder, 'consul')
  await fill(folder, path)
  const source = await binary(path, origin)
  await writeFile(join(folder, 'origin.txt'), origin)
  return source
}

function folderName(image: string): string {
  return image.replace(/[^A-Za-z0-9.-]+/g, '_')
}

/** Orders versions such as `1.8.7` and `1.22.0+ent`; negative when `a` is the older. */
export function compareVersions(a: string, b: string): number {
  const [left, right] = [a, b].map((version) => version.split(/[^0-9]+/).map(Number))
  for (let i = 0; i < 3; i++) {
    const difference = (left?.[i] ?? 0) - (right?.[i] ?? 0)
    if (difference !== 0) return difference
  }
  return 0
}
