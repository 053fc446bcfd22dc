import { request as requestHttp } from 'node:http'
import { request as requestHttps } from 'node:https'
import { dialError } from './dial-error.js'
import { limitOutput, MAX_OUTPUT_BYTES } from './output-limit.js'
import type { Probe, ProbeResult } from './periodic-check.js'

/** What an HTTP check asks for. */
export interface HttpProbeOptions {
  readonly url: string
  readonly method: string
  readonly header: Readonly<Record<string, readonly string[]>>
  readonly body: string
  readonly tlsSkipVerify: boolean
}

const MAX_REDIRECTS = 10

/** Asks a URL: 2xx passes, 429 warns, anything else is critical. */
export function httpProbe(options: HttpProbeOptions): Probe {
  const method = options.method === '' ? 'GET' : options.method
  return (signal) => ask({ ...options, method }, options.url, MAX_REDIRECTS, signal)
}

async function ask(
  options: HttpProbeOptions,
  url: string,
  redirects: number,
  signal: AbortSignal,
): Promise<ProbeResult> {
  const goMethod = options.method.charAt(0).toUpperCase() + options.method.slice(1).toLowerCase()
  try {
    const { status, statusText, body, location } = await fetchOnce(options, url, signal)
    if (location !== undefined && status >= 300 && status < 400 && redirects > 0) {
      return await ask(options, new URL(location, url).href, redirects - 1, signal)
    }
    const output = `HTTP ${options.method} ${options.url}: ${status} ${statusText} Output: ${body}`
    return { status: stateFor(status), output: limitOutput(output, MAX_OUTPUT_BYTES) }
  } catch (error) {
    const reason = signal.aborted
      ? 'context deadline exceeded (Client.Timeout exceeded while awaiting headers)'
      : dialError(error, URL.canParse(url) ? new URL(url).host : url)
    return { status: 'critical', output: `${goMethod} "${options.url}": ${reason}` }
  }
}

function stateFor(status: number): ProbeResult['status'] {
  if (status >= 200 && status < 300) return 'passing'
  return status === 429 ? 'warning' : 'critical'
}

interface Fetched {
  readonly status: number
  readonly statusText: string
  readonly body: string
  readonly location: string | undefined
}

function fetchOnce(options: HttpProbeOptions, url: string, signal: AbortSignal): Promise<Fetched> {
  return new Promise((resolve, reject) => {
    const target = new URL(url)
    const request = target.protocol === 'https:' ? requestHttps : requestHttp
    const headers = Object.fromEntries(Object.entries(options.header).map(([name, values]) => [name, [...values]]))
    const outgoing = request(
      target,
      {
        method: options.method,
        // A connection of its own, closed with the answer: the check asks whether a new caller could get through.
        agent: false,
        signal,
        headers: { 'User-Agent': 'Consul Health Check', Accept: 'text/plain, text/*, */*', ...headers },
        ...(target.protocol === 'https:' ? { rejectUnauthorized: !options.tlsSkipVerify } : {}),
      },
      (response) => {
        const chunks: Buffer[] = []
        response.on('data', (chunk: Buffer) => chunks.push(chunk))
        response.on('error', reject)
        response.on('end', () =>
          resolve({
            status: response.statusCode ?? 0,
            statusText: response.statusMessage ?? '',
            body: Buffer.concat(chunks).toString('utf8'),
            location: response.headers.location,
          }),
        )
      },
    )
    outgoing.on('error', reject)
    outgoing.end(options.body)
  })
}
