import { expect, it } from 'vitest'
import { isFound, SERVICE_HEALTHS } from '../../../src/discovery/service-health.js'

it.each([
  ['serving', ['passing', 'warning']],
  ['passing', ['passing']],
  ['any', ['passing', 'warning', 'critical', 'maintenance']],
] as const)('with the health "%s" it finds what is %j', (health, found) => {
  const statuses = ['passing', 'warning', 'critical', 'maintenance'] as const
  expect(statuses.filter((status) => isFound(status, health))).toEqual(found)
  expect(SERVICE_HEALTHS).toContain(health)
})
