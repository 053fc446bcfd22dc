import { NS_PER_MS } from '../wire/go-duration.js'
import type { CheckRunner, RunnerContext } from './check-runner.js'
import { checkKind, type CheckSpec } from './check-spec.js'
import { grpcProbe } from './grpc-probe.js'
import { httpProbe } from './http-probe.js'
import { PeriodicCheck, type Probe } from './periodic-check.js'
import { tcpProbe } from './tcp-probe.js'
import { TtlCheck } from './ttl-check.js'

/** The real agent's time-out of a check that names none. */
const DEFAULT_TIMEOUT_MS = 10_000

/** Starts what keeps a check up to date; undefined for the kinds that the embedded agent takes but does not make. */
export function createRunner(spec: CheckSpec, context: RunnerContext, lastOutput: string): CheckRunner | undefined {
  if (checkKind(spec) === 'ttl') return new TtlCheck(context, (spec.TTL ?? 0) / NS_PER_MS, lastOutput)
  const probe = createProbe(spec)
  if (probe === undefined) return undefined
  return new PeriodicCheck(
    context,
    {
      intervalMs: (spec.Interval ?? 0) / NS_PER_MS,
      timeoutMs: spec.Timeout === undefined || spec.Timeout <= 0 ? DEFAULT_TIMEOUT_MS : spec.Timeout / NS_PER_MS,
      successBeforePassing: spec.SuccessBeforePassing ?? 0,
      failuresBeforeCritical: spec.FailuresBeforeCritical ?? 0,
    },
    probe,
  )
}

function createProbe(spec: CheckSpec): Probe | undefined {
  const tlsSkipVerify = spec.TLSSkipVerify ?? false
  switch (checkKind(spec)) {
    case 'http':
      return httpProbe({
        url: spec.HTTP ?? '',
        method: spec.Method ?? '',
        header: spec.Header ?? {},
        body: spec.Body ?? '',
        tlsSkipVerify,
      })
    case 'tcp':
      return tcpProbe(spec.TCP ?? '')
    case 'grpc':
      return grpcProbe(spec.GRPC ?? '', { useTls: spec.GRPCUseTLS ?? false, skipVerify: tlsSkipVerify })
    default:
      return undefined
  }
}
