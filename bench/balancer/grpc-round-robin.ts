import { createRequire } from 'node:module'
import { connectivityState, experimental } from '@grpc/grpc-js'

/** The picker of round_robin of @grpc/grpc-js, over connections that are ready and do nothing. */

interface GrpcPicker {
  pick(args: { readonly metadata: unknown; readonly extraPickInfo: object }): unknown
}

interface GrpcBalancer {
  updateAddressList(endpoints: unknown, config: unknown, options: object, note: string): boolean
}

export function grpcRoundRobin(count: number): () => unknown {
  const load = createRequire(import.meta.url)
  const { RoundRobinLoadBalancer } = load('@grpc/grpc-js/build/src/load-balancer-round-robin.js') as {
    readonly RoundRobinLoadBalancer: new (helper: object) => GrpcBalancer
  }
  let ready: GrpcPicker | undefined
  const balancer = new RoundRobinLoadBalancer({
    createSubchannel: () => idleConnection(),
    updateState: (state: connectivityState, picker: GrpcPicker) => {
      if (state === connectivityState.READY) ready = picker
    },
    requestReresolution: () => undefined,
    addChannelzChild: () => undefined,
    removeChannelzChild: () => undefined,
  })
  const endpoints = Array.from({ length: count }, (_, index) => ({
    addresses: [{ host: '127.0.0.1', port: 1_000 + index }],
  }))
  const { createFromJson } = { createFromJson: experimental.selectLbConfigFromList }
  balancer.updateAddressList({ ok: true, value: endpoints }, createFromJson([{ round_robin: {} }]), {}, '')
  if (ready === undefined) throw new Error('round_robin of @grpc/grpc-js is not ready')
  const picker = ready
  const args = { metadata: undefined, extraPickInfo: {} }
  return () => picker.pick(args)
}

function idleConnection(): object {
  const nothing = (): void => undefined
  const connection = {
    getConnectivityState: () => connectivityState.READY,
    addConnectivityStateListener: nothing,
    removeConnectivityStateListener: nothing,
    startConnecting: nothing,
    getAddress: () => '127.0.0.1',
    ref: nothing,
    unref: nothing,
    isHealthy: () => true,
    addHealthStateWatcher: nothing,
    removeHealthStateWatcher: nothing,
    getChannelzRef: () => ({}),
    getRealSubchannel: () => connection,
    realSubchannelEquals: (other: unknown) => other === connection,
    getCallCredentials: () => undefined,
    getChannel: () => undefined,
  }
  return connection
}
