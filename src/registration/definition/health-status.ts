/** How a service or a check is, the best first. */
export const HEALTH_STATUSES = ['passing', 'warning', 'critical'] as const

/** How a service, one of its checks or one of its probes is. */
export type HealthStatus = (typeof HEALTH_STATUSES)[number]

/** The worst of several; passing when there are none. */
export function worstOf(statuses: readonly HealthStatus[]): HealthStatus {
  if (statuses.includes('critical')) return 'critical'
  return statuses.includes('warning') ? 'warning' : 'passing'
}
