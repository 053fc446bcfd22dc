import { isIP, isIPv4, isIPv6 } from 'node:net'
import { invalidOption } from '../../errors/invalid-option.js'

/** Addresses of services, as others are to call them. */

const ACCEPTED = 'one IP address or host name by which others reach the service'

/**
 * An address to reach a service by, not one to listen on. An IPv6 address may be in brackets; it is returned without.
 * @throws ProconsulError `PROCONSUL_INVALID_OPTION`
 */
export function checkAddress(option: string, address: unknown): string {
  if (typeof address !== 'string') throw invalidOption(option, address, ACCEPTED)
  const bare = withoutBrackets(address)
  const fault = isIP(bare) === 0 ? hostFault(bare) : ipFault(bare)
  if (fault !== undefined) throw invalidOption(option, address, fault === '' ? ACCEPTED : `${ACCEPTED}, ${fault}`)
  return bare
}

/** Whether a host name or address means the host itself. */
export function isLoopback(host: string): boolean {
  return /^(?:localhost$|127\.|0\.0\.0\.0$|::1?$|::ffff:7f|::ffff:0:0$)/.test(canonical(host))
}

/** What is wrong with the form of a host, as the end of a sentence; undefined when nothing is. */
export function hostFault(host: string): string | undefined {
  if (isIP(host) !== 0) return undefined
  if (/[${}]|%[^%]*%/.test(host)) return NOT_REPLACED
  if (NO_VALUE.test(host)) return 'and not the text of a value that was missing'
  if (host.includes('://')) return 'without a scheme'
  if (/[,\s]/.test(host.trim())) return 'and not a list'
  if (/^(?:\[.*\]|[^:]+):\d+$/.test(host)) return 'without a port: that is an option of its own'
  if (isIP(host.replace(/\/\d+$/, '')) !== 0) return 'without the length of a prefix'
  return isHostName(host) ? undefined : ''
}

/** The end of a sentence about a text such as `${POD_IP}`. */
export const NOT_REPLACED = 'and not the name of a variable that nobody has replaced'

/** What becomes of a missing value in JavaScript, in YAML and in templates. */
const NO_VALUE = /^(?:undefined|null|NaN|none|nil|<nil>|<no value>|true|false)$/i

const LABEL = /^[a-z0-9_](?:[a-z0-9_-]{0,61}[a-z0-9_])?$/i
const LONGEST_HOST_NAME = 253

/** A host name does not end in a number: whoever reads a URL takes that for an IPv4 address (https://url.spec.whatwg.org/#host-parsing). */
function isHostName(host: string): boolean {
  const labels = host.replace(/\.$/, '').split('.')
  const isNumber = /^(?:\d+|0x[0-9a-f]*)$/i.test(labels.at(-1) ?? '')
  return host.length <= LONGEST_HOST_NAME && !isNumber && labels.every((label) => LABEL.test(label))
}

/** Why nobody else can call an IP address, though it is one. */
function ipFault(address: string): string | undefined {
  if (address.includes('%')) return 'without a zone, which means nothing on another host'
  const text = canonical(address)
  if (/^(?:0\.|::$|::ffff:0:)/.test(text)) return 'and not one to listen on'
  if (/^fe[89ab].:/.test(text)) return 'and not one that holds on one link only'
  if (isIPv4(text) ? Number(text.split('.')[0]) >= 224 : text.startsWith('ff')) return 'and not one of many hosts'
  return undefined
}

/** The one way to write a host: lower case, without brackets, and an IPv6 address as short as it can be. */
function canonical(host: string): string {
  const bare = withoutBrackets(host).toLowerCase()
  const [address = ''] = bare.split('%')
  return isIPv6(address) ? withoutBrackets(new URL(`http://[${address}]`).hostname) : bare
}

/** An IPv6 address without the brackets that URLs put around it; any other text as it is. */
export function withoutBrackets(host: string): string {
  const [, inside] = /^\[(.*)\]$/.exec(host) ?? []
  return inside !== undefined && isIPv6(inside) ? inside : host
}
