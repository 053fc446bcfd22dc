/**
 * The program of the heartbeat thread, as text: so it needs no file of its own beside a bundle, in either module system. Plain
 * JavaScript, with nothing from this package. It beats by its own timers and watches whether the main thread still moves the pulse.
 */
export const WORKER_SOURCE = `
'use strict'
const { parentPort, workerData } = require('node:worker_threads')
const pulse = new Int32Array(workerData.pulse)
const LOOK_MS = workerData.lookMs
const RANK = { passing: 0, warning: 1, critical: 2 }
const entries = new Map()
let target
let agent
let lastPulse = 0
let movedAt = performance.now()
let lookedAt = movedAt

function seconds(ms) { return (ms / 1000).toFixed(1) + ' s' }

function reportOf(entry, blockedMs) {
  const level = blockedMs >= entry.criticalAfterMs ? 'critical' : blockedMs >= entry.warnAfterMs ? 'warning' : 'passing'
  if (level === 'passing') return { level, status: entry.report.status, output: entry.report.output }
  const status = RANK[entry.report.status] > RANK[level] ? entry.report.status : level
  return { level, status, output: 'event loop blocked for ' + seconds(blockedMs) + '\\n' + entry.report.output }
}

function plan(entry, delayMs) {
  clearTimeout(entry.timer)
  if (!entry.held) entry.timer = setTimeout(() => { plan(entry, entry.intervalMs * (0.9 + 0.2 * Math.random())); beat(entry) }, delayMs)
}

function beat(entry, sequence) {
  if (entry.held) return
  if (sequence !== undefined) entry.waiting.push(sequence)
  if (entry.underWay) { entry.again = entry.again || sequence !== undefined; return }
  entry.underWay = true
  const sequences = entry.waiting.splice(0)
  const startedAt = performance.now()
  const { level, status, output } = reportOf(entry, blockedFor())
  entry.level = level
  send(entry, JSON.stringify({ Status: status, Output: cut(output) }), (result) => {
    entry.underWay = false
    // Another may have the key by now.
    if (entries.get(entry.key) !== entry) return
    if (!result.ok && result.retry) plan(entry, Math.min(entry.intervalMs, 1000))
    parentPort.postMessage({ key: entry.key, sequences, status, durationMs: performance.now() - startedAt, ...result })
    if (entry.again) { entry.again = false; beat(entry) }
  })
}

function cut(text) {
  const bytes = Buffer.from(text)
  if (bytes.length <= 4096) return text
  let end = 4096
  while (end > 0 && (bytes[end] & 0xc0) === 0x80) end -= 1
  return bytes.subarray(0, end).toString()
}

function send(entry, body, done) {
  let isDone = false
  const finish = (result) => { if (!isDone) { isDone = true; clearTimeout(timer); done(result) } }
  const url = new URL(target.baseUrl)
  const library = require(url.protocol === 'https:' ? 'node:https' : 'node:http')
  agent ??= new library.Agent({ keepAlive: true, maxSockets: 8 })
  const request = library.request({
    ...target.tls, agent, method: 'PUT', path: url.pathname.replace(/\\/$/, '') + entry.path + target.query,
    ...(target.socketPath === undefined
      ? { host: url.hostname.replace(/^\\[|\\]$/g, ''), port: url.port || (url.protocol === 'https:' ? 443 : 80) }
      : { socketPath: target.socketPath }),
    headers: { ...target.headers, 'content-type': 'application/json', 'content-length': Buffer.byteLength(body) },
  })
  entry.request = request
  const timer = setTimeout(() => {
    finish({ ok: false, retry: false, timedOut: true })
    request.destroy()
  }, entry.timeoutMs)
  request.on('error', (error) => finish({ ok: false, retry: true, message: error.message, code: error.code }))
  request.on('response', (response) => {
    const parts = []
    response.on('data', (part) => parts.push(part))
    response.on('error', (error) => finish({ ok: false, retry: true, message: error.message, code: error.code }))
    response.on('end', () => {
      const ok = response.statusCode === 200
      finish(ok ? { ok } : { ok, retry: false, httpStatus: response.statusCode, body: Buffer.concat(parts).toString().slice(0, 300) })
    })
  })
  request.end(body)
}

function blockedFor() { return performance.now() - movedAt }

function look() {
  const now = performance.now()
  const current = Atomics.load(pulse, 0)
  // When this thread was late itself, the whole process stood still, and the main thread gets the time to show that it is back.
  if (current !== lastPulse || now - lookedAt > LOOK_MS * 5) movedAt = now
  lastPulse = current
  lookedAt = now
  for (const entry of entries.values()) if (reportOf(entry, blockedFor()).level !== entry.level) beat(entry)
}

setInterval(look, LOOK_MS)

const handlers = {
  target(message) { target = message.target; if (agent) agent.destroy(); agent = undefined },
  add({ entry }) { entries.set(entry.key, { ...entry, held: true, waiting: [], level: 'passing' }) },
  start({ key, delayMs }) { const entry = entries.get(key); if (entry && entry.held) { entry.held = false; plan(entry, delayMs) } },
  hold({ key }) { const entry = entries.get(key); if (entry) { entry.held = true; clearTimeout(entry.timer) } },
  report({ key, report }) { const entry = entries.get(key); if (entry) entry.report = report },
  beat({ key, sequence }) {
    const entry = entries.get(key)
    if (entry && !entry.held) beat(entry, sequence)
    else parentPort.postMessage({ sequences: [sequence] })
  },
  remove({ key, sequence }) {
    const entry = entries.get(key)
    entries.delete(key)
    clearTimeout(entry?.timer)
    if (entry?.underWay) entry.request.destroy()
    parentPort.postMessage({ sequences: [sequence] })
  },
}
parentPort.on('message', (message) => handlers[message.type](message))
`
