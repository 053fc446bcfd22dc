import { isRecord } from '../../core/option-check.js'
import { isError, thrownText } from '../../core/thrown.js'
import { HEALTH_STATUSES, type HealthStatus } from '../definition/health-status.js'
import type { ResolvedProbe } from '../definition/probe-definition.js'
import { cutBytes, OUTPUT_LIMIT_BYTES } from './output-limit.js'

/** What a probe found. */
export interface ProbeVerdict {
  readonly status: HealthStatus
  /** For people; empty when there is nothing to say. */
  readonly output: string
}

type Judged = Pick<ResolvedProbe, 'onFailure'>

/** What a probe's value says. What a probe returns is data: nothing that it holds makes this throw. */
export function verdictOf(value: unknown, probe: Judged): ProbeVerdict {
  try {
    return judge(value, probe)
  } catch (error) {
    return verdictOfError(error, probe)
  }
}

/** What a probe's failure says. */
export function verdictOfError(error: unknown, { onFailure }: Judged): ProbeVerdict {
  return verdict(onFailure, thrownText(error))
}

function judge(value: unknown, probe: Judged): ProbeVerdict {
  if (value === false) return verdict(probe.onFailure)
  if (isError(value)) return verdictOfError(value, probe)
  if (typeof value === 'string') return statusOf(value, '', probe) ?? verdict(probe.onFailure, value)
  if (!isRecord(value) || !('status' in value)) return verdict('passing')
  const { status, output } = value
  const text = typeof output === 'string' ? output : ''
  return statusOf(status, text, probe) ?? verdict(probe.onFailure, `${wrongStatus(status)}${text && `: ${text}`}`)
}

/** The verdict with one of the three words; undefined for any other value. */
function statusOf(given: unknown, output: string, { onFailure }: Judged): ProbeVerdict | undefined {
  const status = HEALTH_STATUSES.find((word) => word === given)
  return status && verdict(status === 'critical' ? onFailure : status, output)
}

function wrongStatus(status: unknown): string {
  return `its status is ${thrownText(status)}, which is none of ${HEALTH_STATUSES.join(', ')}`
}

function verdict(status: HealthStatus, output = ''): ProbeVerdict {
  return { status, output: cutBytes(output, OUTPUT_LIMIT_BYTES) }
}
