import type { RunningSubject } from './subject.js'
import { WireClient, type WireAnswer } from './wire-client.js'

/** One request as it is on the wire: method, path and body. */
export type Exchange = readonly [method: string, path: string, body?: unknown]

/** Sends the requests one after another, and says of each what came back, without what differs from one agent to the next. */
export async function answersOf(subject: RunningSubject, exchanges: readonly Exchange[]): Promise<readonly string[]> {
  const http = new WireClient(() => ({ url: subject.url }))
  const answers: string[] = []
  try {
    for (const [method, path, body] of exchanges) {
      const answer = await http.send(method, path, { body }).catch((error: unknown) => error)
      answers.push(`${method} ${path}\n${answer instanceof Error ? 'no answer' : plain(answer as WireAnswer, subject)}`)
    }
  } finally {
    http.close()
  }
  return answers
}

/** Headers that say something of what was asked. */
const HEADERS = ['content-type', 'allow', 'x-consul-knownleader', 'x-consul-translate-addresses', 'x-cache'] as const

function plain({ status, headers, text }: WireAnswer, { node }: RunningSubject): string {
  const shown = HEADERS.flatMap((name) => (headers[name] === undefined ? [] : [`${name}: ${String(headers[name])}`]))
  const index = headers['x-consul-index'] === undefined ? [] : ['x-consul-index: N']
  return [String(status), ...shown, ...index, withoutAccidents(text, node)].join('\n')
}

function withoutAccidents(text: string, node: string): string {
  return (
    canonical(text)
      .replaceAll(node, 'NODE')
      .replace(/[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}/g, 'UUID')
      .replace(/"(\w*Index|ContentHash)": ?(?:\d+|"[0-9a-f]+")/g, '"$1": N')
      .replace(/modify index \d+/g, 'modify index N')
      .replace(/127\.0\.0\.1:\d+/g, '127.0.0.1:PORT')
      .replace(/"(\w*[pP]ort)": "?\d{4,5}"?/g, '"$1": PORT')
      // The names of Go's types are an accident of how it is written.
      .replace(/(Go (?:value|struct field)) (?:\S+ )?of type .*/g, '$1')
  )
}

/** JSON with the members of objects in one order. */
function canonical(text: string): string {
  try {
    return JSON.stringify(sorted(withoutDebug(JSON.parse(text))), undefined, 1)
  } catch {
    return text
  }
}

/** `/v1/agent/self` shows the whole configuration of the agent for people, and counts what it does. */
function withoutDebug(value: unknown): unknown {
  if (typeof value !== 'object' || value === null || !('DebugConfig' in value)) return value
  return { ...value, DebugConfig: undefined, Stats: undefined }
}

function sorted(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(sorted)
  if (typeof value !== 'object' || value === null) return value
  return Object.fromEntries(
    Object.entries(value)
      .sort(([a], [b]) => (a < b ? -1 : 1))
      .map(([key, entry]) => [key, sorted(entry)]),
  )
}
