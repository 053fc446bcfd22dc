import { readFile } from 'node:fs/promises'
import { request } from 'node:http'
import { isRecord } from '../core/option-check.js'
import { UsageError } from './command.js'

/** What a seed file holds: registrations in Consul's own form, and keys with their values. */
export interface Seed {
  readonly services: readonly Readonly<Record<string, unknown>>[]
  readonly kv: Readonly<Record<string, string>>
}

/**
 * Reads a seed file: `{ "services": [{ "Name": "users", "Port": 80 }], "kv": { "config/users/level": "info" } }`. A value that is no text is stored
 * as JSON.
 * @throws UsageError naming the file when it cannot be read or has another form.
 */
export async function readSeed(file: string): Promise<Seed> {
  const parsed = await parse(file)
  if (!isRecord(parsed)) throw new UsageError(`${file}: expected an object with "services" and "kv"`)
  const { services = [], kv = {}, ...unknown } = parsed
  const [name] = Object.keys(unknown)
  if (name !== undefined) throw new UsageError(`${file}: there is no place for "${name}"; expected "services" and "kv"`)
  if (!Array.isArray(services) || !services.every(isRecord))
    throw new UsageError(`${file}: "services" must be a list of registrations`)
  if (!isRecord(kv)) throw new UsageError(`${file}: "kv" must be an object`)
  const values = Object.entries(kv).map(
    ([key, value]) => [key, typeof value === 'string' ? value : JSON.stringify(value)] as const,
  )
  return { services, kv: Object.fromEntries(values) }
}

async function parse(file: string): Promise<unknown> {
  try {
    return JSON.parse(await readFile(file, 'utf8'))
  } catch (error) {
    throw new UsageError(`${file}: ${error instanceof Error ? error.message : String(error)}`)
  }
}

/**
 * Registers the services and writes the keys.
 * @throws UsageError naming what the agent refused.
 */
export async function plantSeed(url: string, seed: Seed): Promise<void> {
  for (const service of seed.services) {
    await put(url, '/v1/agent/service/register', JSON.stringify(service), `service ${JSON.stringify(service['Name'])}`)
  }
  for (const [key, value] of Object.entries(seed.kv)) {
    await put(url, `/v1/kv/${key.split('/').map(encodeURIComponent).join('/')}`, value, `key ${JSON.stringify(key)}`)
  }
}

function put(url: string, path: string, body: string, what: string): Promise<void> {
  return new Promise((resolve, reject) => {
    const outgoing = request(new URL(path, url), { method: 'PUT', agent: false }, (response) => {
      const chunks: Buffer[] = []
      response.on('data', (chunk: Buffer) => chunks.push(chunk))
      response.on('error', reject)
      response.on('end', () => {
        if (response.statusCode === 200) resolve()
        else reject(new UsageError(`${what} was refused: ${Buffer.concat(chunks).toString('utf8')}`))
      })
    })
    outgoing.on('error', reject)
    outgoing.end(body)
  })
}
