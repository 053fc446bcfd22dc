import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { runCommand } from './process/run-command.js'

/** A certificate authority and what it signed: contents in PEM, and the files that hold them. */
export interface ConsulTls {
  readonly ca: string
  readonly cert: string
  readonly key: string
  readonly caFile: string
  /** The client's certificate and key, which the agent asks for. */
  readonly certFile: string
  readonly keyFile: string
  readonly serverCertFile: string
  readonly serverKeyFile: string
}

/** Makes an authority, a server and a client certificate in `folder`, valid for localhost and 127.0.0.1. */
export async function makeConsulTls(binary: string, folder: string): Promise<ConsulTls> {
  const make = (...args: string[]): Promise<string> => runCommand(binary, ['tls', ...args], { cwd: folder })
  await make('ca', 'create')
  await make('cert', 'create', '-server', '-dc', 'dc1', '-additional-ipaddress=127.0.0.1')
  await make('cert', 'create', '-client', '-dc', 'dc1')
  const caFile = join(folder, 'consul-agent-ca.pem')
  const certFile = join(folder, 'dc1-client-consul-0.pem')
  const keyFile = join(folder, 'dc1-client-consul-0-key.pem')
  const read = (file: string): Promise<string> => readFile(file, 'utf8')
  const [ca, cert, key] = await Promise.all([read(caFile), read(certFile), read(keyFile)])
  return {
    ca,
    cert,
    key,
    caFile,
    certFile,
    keyFile,
    serverCertFile: join(folder, 'dc1-server-consul-0.pem'),
    serverKeyFile: join(folder, 'dc1-server-consul-0-key.pem'),
  }
}
