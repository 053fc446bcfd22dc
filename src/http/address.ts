import { isIPv6 } from 'node:net'
import { invalidOption } from '../errors/invalid-option.js'

/** Where an agent listens. */
export type Address =
  | { readonly type: 'unix'; readonly socketPath: string }
  | {
      readonly type: 'tcp'
      /** Absent when the text had none. */
      readonly scheme?: 'http' | 'https'
      /** Host and, where given, port, as in a URL. */
      readonly authority: string
      /** Path in front of `/v1`, without a trailing slash; empty where there is none. */
      readonly prefix: string
    }

const ACCEPTED = "'host:port', 'http://host:port', 'https://host:port', either with a path, or 'unix:///path/to/socket'"

/**
 * Reads an address as Consul's own tools do: split at `://`, schemes in lower case only, and without a port the scheme's own, not 8500.
 * @throws ProconsulError `PROCONSUL_INVALID_OPTION`, naming `option`.
 */
export function parseAddress(option: string, value: string): Address {
  const refuse = (expected: string): never => {
    throw invalidOption(option, withoutPassword(value), expected)
  }
  const [before, after] = splitOnce(value, '://')
  const scheme = after === undefined ? undefined : before
  const rest = after ?? before
  if (scheme === 'unix') {
    return rest === '' ? refuse("a path after 'unix://'") : { type: 'unix', socketPath: rest }
  }
  if (scheme !== undefined && scheme !== 'http' && scheme !== 'https') return refuse(ACCEPTED)
  const [authority, path] = splitOnce(rest, '/')
  const prefix = path === undefined ? '' : `/${path}`.replace(/\/+$/, '')
  if (authority.includes('@'))
    return refuse('an address without user and password; those belong in `auth` or CONSUL_HTTP_AUTH')
  if (prefix !== '' && scheme === undefined)
    return refuse("a scheme ('http://' or 'https://') in front of an address with a path")
  if (/\$[({]|\{\{/.test(authority)) return refuse(`${ACCEPTED}; a variable in it was not replaced: is it set?`)
  const bracketed = withBrackets(authority)
  if (bracketed !== undefined) {
    return refuse(`an IPv6 address in brackets, such as '${scheme ?? 'http'}://${bracketed}'`)
  }
  if (/[?#\s\\]/.test(value) || !isAuthority(authority)) return refuse(ACCEPTED)
  return { type: 'tcp', ...(scheme !== undefined && { scheme }), authority, prefix }
}

function splitOnce(text: string, separator: string): [string, string | undefined] {
  const at = text.indexOf(separator)
  return at === -1 ? [text, undefined] : [text.slice(0, at), text.slice(at + separator.length)]
}

/** What was probably meant by an IPv6 address without brackets: `http://$(HOST_IP):8500` becomes one where the host has such an address. */
function withBrackets(authority: string): string | undefined {
  if (/[[\]%]/.test(authority)) return undefined
  const [, host = '', port = ''] = /^(.+):(\d{4,5})$/.exec(authority) ?? []
  if (isIPv6(host) && (!isIPv6(authority) || Number(port) > 1_023)) return `[${host}]:${port}`
  return isIPv6(authority) ? `[${authority}]:8500` : undefined
}

function isAuthority(authority: string): boolean {
  if (!/^(?:\[[0-9a-fA-F:.]+\]|[^[\]:]+)(?::\d+)?$/.test(authority)) return false
  return URL.canParse(`http://${authority}`)
}

function withoutPassword(value: string): string {
  return value.replace(/\/\/[^/@]*@/, '//…@').replace(/^[^/@]*@/, '…@')
}
