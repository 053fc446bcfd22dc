import { Refusal } from '../wire/reply.js'

/**
 * Refuses keys that later versions of Consul refuse: path traversal, plain or encoded, and spaces at the ends.
 * @throws Refusal 500
 */
export function checkKey(key: string): void {
  const isTraversal = /(?:^|\/)\.\.(?:\/|$)/.test(key) || /\.\.(?:%2f|%5c)|%2e%2e/i.test(key)
  if (isTraversal || key.trim() !== key) throw new Refusal(500, `invalid key name: ${JSON.stringify(key)}`)
}
