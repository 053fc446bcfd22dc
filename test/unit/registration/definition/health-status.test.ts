import { expect, it } from 'vitest'
import { worstOf, type HealthStatus } from '../../../../src/registration/definition/health-status.js'

it.each<[HealthStatus, HealthStatus[]]>([
  ['passing', []],
  ['passing', ['passing']],
  ['warning', ['passing', 'warning']],
  ['critical', ['warning', 'critical', 'passing']],
])('the worst status is %s of %j', (worst, statuses) => {
  expect(worstOf(statuses)).toBe(worst)
})
