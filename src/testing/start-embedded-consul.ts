import { EmbeddedConsul } from './embedded-consul.js'
import { resolveEmbeddedConsulOptions, type EmbeddedConsulOptions } from './options.js'

/**
 * Starts an in-memory Consul agent on a real socket, on a free loopback port unless told otherwise. Nothing is installed, and no process is
 * started. Close it with `close()` or `await using`.
 * @throws ProconsulError `PROCONSUL_INVALID_OPTION` for an option of another form; the system's error when the port is taken.
 */
export async function startEmbeddedConsul(options: EmbeddedConsulOptions = {}): Promise<EmbeddedConsul> {
  return await new EmbeddedConsul(resolveEmbeddedConsulOptions(options)).open()
}
