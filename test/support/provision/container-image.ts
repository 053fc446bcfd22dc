import { spawn } from 'node:child_process'
import { rename } from 'node:fs/promises'
import { join } from 'node:path'
import type { ContainerRuntimeClient } from 'testcontainers'

/** Used when `CONSUL_IMAGE` names none. */
const DEFAULT_IMAGE = 'hashicorp/consul:1.22'
const ENGINE_WITHIN_MS = 5_000
/** Long enough for about 60 MB on a slow line; a registry that is out of reach mostly fails at once. */
const PULL_WITHIN_MS = 60_000

/** A container engine that answers, and an image of Consul that it has. */
export interface ConsulImage {
  readonly client: ContainerRuntimeClient
  readonly image: string
}

/** Asks for a container engine and for the image, pulling it if need be, each within a bounded time. Rejects with the reason. */
export async function findConsulImage(image = process.env['CONSUL_IMAGE'] ?? DEFAULT_IMAGE): Promise<ConsulImage> {
  const { getContainerRuntimeClient, ImageName } = await import('testcontainers')
  const client = await within(ENGINE_WITHIN_MS, 'a container engine', getContainerRuntimeClient())
  const name = ImageName.fromString(image)
  if (!(await within(ENGINE_WITHIN_MS, 'the list of images', client.image.exists(name)))) {
    await within(PULL_WITHIN_MS, `the image ${image}`, client.image.pull(name))
  }
  return { client, image }
}

/** Copies the program out of the image, which on Linux runs as well outside: tests then need no container for each agent. */
export async function extractConsul({ client, image }: ConsulImage, folder: string, binary: string): Promise<void> {
  const container = await client.container.dockerode.createContainer({ Image: image, Cmd: ['version'] })
  try {
    const archive = await container.getArchive({ path: '/bin/consul' })
    const tar = spawn('tar', ['-x', '-C', folder], { stdio: ['pipe', 'ignore', 'ignore'] })
    const ended = new Promise<number | null>((resolve, reject) => tar.on('error', reject).on('close', resolve))
    archive.pipe(tar.stdin)
    const code = await ended
    if (code !== 0) throw new Error(`tar ended with ${String(code)} on /bin/consul of ${image}`)
    if (join(folder, 'consul') !== binary) await rename(join(folder, 'consul'), binary)
  } finally {
    await container.remove({ force: true })
  }
}

async function within<T>(limitMs: number, what: string, answer: Promise<T>): Promise<T> {
  let timer: NodeJS.Timeout | undefined
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error(`${what} did not answer within ${limitMs} ms`)), limitMs)
  })
  try {
    return await Promise.race([answer, late])
  } finally {
    clearTimeout(timer)
  }
}
