import { parentPort, workerData } from 'node:worker_threads'
import { systemClock } from '../../../core/clock.js'
import { AgentConnection } from './agent-connection.js'
import { CheckBeats, type CheckBeatsParts } from './check-beats.js'
import type { FromThread, ToThread } from './messages.js'
import { LOOK_MS, PulseReader } from './pulse.js'

/**
 * The program of the heartbeat thread. The build makes one text of it and what it imports (`program.ts`), and `BeatWorker` starts that: so
 * it needs no file beside a bundle, in either module system. It may import Node.js and small files without imports of their own.
 */

const beats = new Map<string, CheckBeats>()
let connection: AgentConnection | undefined

const pulse: unknown = workerData
const reader = new PulseReader(pulse instanceof Int32Array ? pulse : new Int32Array(1), systemClock)

const parts: CheckBeatsParts = {
  clock: systemClock,
  random: Math.random,
  send: async (request) => (await connection?.send(request)) ?? { ok: false, message: 'the agent is not known yet' },
  answer,
  blockedMs: () => reader.blockedMs(),
}

function answer(message: FromThread): void {
  parentPort?.postMessage(message)
}

function hear(message: ToThread): void {
  switch (message.type) {
    case 'target':
      if (connection === undefined) connection = new AgentConnection(message.target)
      else connection.renew(message.target)
      return
    case 'add':
      beats.set(message.entry.key, new CheckBeats(message.entry, parts))
      return
    case 'remove':
      beats.get(message.key)?.remove()
      beats.delete(message.key)
      answer({ sequences: [message.sequence] })
      return
    default:
      hearOfCheck(message)
  }
}

function hearOfCheck(message: Exclude<ToThread, { type: 'target' | 'add' | 'remove' }>): void {
  const check = beats.get(message.key)
  if (check === undefined) {
    if (message.type === 'beat') answer({ sequences: [message.sequence] })
  } else if (message.type === 'start') check.start(message.delayMs)
  else if (message.type === 'hold') check.hold()
  else if (message.type === 'report') check.report = message.report
  else check.ask(message.sequence)
}

parentPort?.on('message', hear)
setInterval(() => {
  reader.blockedMs()
  for (const check of beats.values()) check.look()
}, LOOK_MS)
