import { isIPv6 } from 'node:net'
import { checkString } from '../../core/option-check.js'
import { invalidOption } from '../../errors/invalid-option.js'
import { hostFault, NOT_REPLACED, withoutBrackets } from '../identity/address.js'

/** Where the agent is to look. Unlike the address of a service, it may be one that only the agent's own host has. */

const URL_FORM = 'a URL that begins with http:// or https://'

/** A URL that an HTTP check asks. */
export function checkUrl(option: string, given: unknown): string {
  const url = checkString(option, given, URL_FORM)
  if (!/^https?:\/\//i.test(url) || !URL.canParse(url)) {
    throw invalidOption(option, url, /[${}]/.test(url) ? `${URL_FORM}, ${NOT_REPLACED}` : URL_FORM)
  }
  refuseHost(option, url, URL_FORM, new URL(url).hostname)
  return url
}

/** A host and a port, with a path where the form has one. */
export function checkHostPort(option: string, given: unknown, form: 'host:port' | 'host:port/service'): string {
  const accepted = form === 'host:port' ? "'host:port'" : "'host:port' or 'host:port/service'"
  const address = checkString(option, given, accepted)
  const [, inBrackets, bare = '', port = '', path] = /^(?:\[([^\]]+)\]|([^:/\s]+)):(\d+)(\/\S*)?$/.exec(address) ?? []
  const isPort = Number(port) >= 1 && Number(port) <= 65_535
  const isHost = inBrackets === undefined ? bare !== '' : isIPv6(inBrackets)
  if (!isPort || !isHost || (path !== undefined && form === 'host:port')) {
    const isBareIpv6 = isIPv6(address) || isIPv6(address.replace(/:\d+$/, ''))
    const isVariable = /[${}]/.test(address)
    const hint = isBareIpv6 ? ', an IPv6 address in brackets' : isVariable ? `, ${NOT_REPLACED}` : ''
    throw invalidOption(option, address, accepted + hint)
  }
  refuseHost(option, address, accepted, inBrackets ?? bare)
  return address
}

function refuseHost(option: string, given: string, accepted: string, host: string): void {
  const fault = hostFault(withoutBrackets(host))
  if (fault !== undefined) throw invalidOption(option, given, fault === '' ? accepted : `${accepted}, ${fault}`)
}
