import { checkInteger, checkString, checkStringMap } from '../../core/option-check.js'
import { invalidOption } from '../../errors/invalid-option.js'

/** Consul's limits on what describes a service (https://developer.hashicorp.com/consul/docs/services/configuration/services-configuration-reference). */

const MOST_META = 64
const LONGEST_META_KEY_BYTES = 128
const LONGEST_META_VALUE_BYTES = 512
const LONGEST_ID = 255
const MOST_WEIGHT = 65_535

/** A DNS label, which is what a service's name becomes. */
const DNS_LABEL = /^[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?$/

/** Whether a service of this name can be found through Consul's DNS. */
export function isDnsName(name: string): boolean {
  return DNS_LABEL.test(name)
}

/**
 * A name or id by which the agent can be asked. From a path it cleans `.`, `..` and empty segments away, and control characters and half
 * of a surrogate pair never reach it.
 */
export function checkPathText(option: string, given: unknown): string {
  const text = checkString(option, given)
  const isCleaned = /^\/|\/\/|(?:^|\/)\.{1,2}(?:\/|$)/.test(text)
  if (isCleaned || /[\p{Cc}\p{Cs}]/u.test(text)) {
    throw invalidOption(
      option,
      text,
      "text without control characters that no path would change, as '..' and 'a//b' are",
    )
  }
  return text
}

/** An id that stays itself in a URL, a log line and a file name. */
export function checkId(option: string, id: unknown): string {
  if (typeof id !== 'string' || id.length > LONGEST_ID || !/^(?!\.{1,2}$)[\w.:~@-]+$/.test(id)) {
    throw invalidOption(option, id, `1 to ${LONGEST_ID} of the characters A-Z a-z 0-9 _ . : ~ @ -, but not '.' or '..'`)
  }
  return id
}

/** Metadata within Consul's limits, which count bytes. `reserved` entries are added by this package. */
export function checkMeta(option: string, meta: unknown, reserved: number): Readonly<Record<string, string>> {
  const entries = Object.entries(checkStringMap(option, meta))
  if (entries.length > MOST_META - reserved) {
    throw invalidOption(option, meta, `at most ${MOST_META - reserved} entries (Consul allows ${MOST_META})`)
  }
  for (const [key, value] of entries) {
    if (!/^[\w-]+$/.test(key) || Buffer.byteLength(key) > LONGEST_META_KEY_BYTES) {
      throw invalidOption(`${option} key`, key, `1 to ${LONGEST_META_KEY_BYTES} of the characters A-Z a-z 0-9 _ -`)
    }
    if (/^(?:consul|proconsul)-/i.test(key)) {
      throw invalidOption(`${option} key`, key, 'a key that does not begin with consul- or proconsul-')
    }
    if (Buffer.byteLength(value) > LONGEST_META_VALUE_BYTES) {
      throw invalidOption(`${option}.${key}`, value, `at most ${LONGEST_META_VALUE_BYTES} bytes`)
    }
  }
  return Object.fromEntries(entries)
}

/** A port on which something can listen. */
export function checkPort(option: string, port: unknown): number {
  if (port === 0) throw invalidOption(option, port, NO_PORT_YET)
  return checkInteger(option, port, 1, 65_535)
}

/** A share of traffic: at least 1 while passing, for Consul refuses 0 there. */
export function checkWeight(option: string, weight: unknown, least: 0 | 1): number {
  return checkInteger(option, weight, least, MOST_WEIGHT)
}

/** With port 0 the system chooses one when the server begins to listen. */
const NO_PORT_YET =
  'a whole number from 1 to 65535: listen first, and pass the port that was chosen, `server.address().port`'
