// An instance of a service in a process of its own, for tests that kill, stop or slow it. Listens on a port of the system's choice and
// tells its parent. A message sets how long each call takes, in milliseconds. SIGTERM ends it once it has answered what is under way.
import { createServer } from 'node:http'

let delayMs = Number(process.argv[2] ?? 0)
process.on('message', (message) => {
  delayMs = Number(message)
})
const server = createServer((_request, response) => {
  setTimeout(() => response.end(String(process.pid)), delayMs)
})
server.listen(0, '127.0.0.1', () => process.send?.({ port: server.address().port }))
process.once('SIGTERM', () => server.close(() => process.exit(0)))
process.once('disconnect', () => process.exit(0))
