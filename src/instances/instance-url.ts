import { isIPv6 } from 'node:net'
import { checkInteger, checkObject, checkString } from '../core/option-check.js'
import { invalidOption } from '../errors/invalid-option.js'
import type { ServiceInstance } from './service-instance.js'

/** How to make the URL of an instance. */
export interface InstanceUrlOptions {
  /** Such as `'https'`, with or without its colon. Default `'http'`. */
  readonly protocol?: string | undefined
  /** Name of one of the instance's `ports`, or a number. Default: the instance's `port`. */
  readonly port?: string | number | undefined
}

const PROTOCOL = /^[a-z][a-z\d+.-]*$/i

/**
 * The URL of an instance, such as `http://10.0.0.1:3000/users?all=1`. An IPv6 address stands in brackets. The path, with its query, is
 * taken as it is and begins after the port, with or without a slash of its own.
 * @throws ProconsulError `PROCONSUL_INVALID_OPTION`: an instance without a port, an unknown name of a port, a path that would lead elsewhere
 */
export function instanceUrl(instance: ServiceInstance, path = '', options: InstanceUrlOptions = {}): string {
  checkObject('options', options, ['protocol', 'port'])
  const { protocol = 'http' } = options
  const scheme = checkString('protocol', protocol).replace(/:(?:\/\/)?$/, '')
  if (!PROTOCOL.test(scheme)) throw invalidOption('protocol', protocol, "a protocol such as 'http' or 'https'")
  const { address } = instance
  const host = isIPv6(address) ? `[${address}]` : address
  return `${scheme}://${host}:${portOf(instance, options.port)}${joined(path)}`
}

function portOf(instance: ServiceInstance, port: string | number | undefined): number {
  if (typeof port === 'number') return checkInteger('port', port, 1, 65_535)
  const { ports } = instance
  const chosen = port === undefined ? instance.port : Object.hasOwn(ports, port) ? ports[port] : undefined
  if (chosen !== undefined && chosen > 0) return chosen
  const names = Object.keys(ports)
  const known = names.length === 0 ? 'which has no named ports' : `whose ports are ${names.join(', ')}`
  throw invalidOption('port', port, `a port of the instance "${instance.id}", ${known}, or a number`)
}

function joined(path: string): string {
  if (typeof path !== 'string') throw invalidOption('path', path, 'a string')
  // After a host and a port only these begin something else than more of the port.
  return path === '' || /^[/?#]/.test(path) ? path : `/${path}`
}
