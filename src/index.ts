/** The public list of `proconsul`. */

export { Proconsul } from './proconsul.js'
export type { ProconsulOptions } from './options/client-options.js'
export type { TokenFunction } from './http/token-source.js'
export type { Pem, TlsOptions } from './options/tls-options.js'

// errors
export { isProconsulError, ProconsulError } from './errors/proconsul-error.js'
export type {
  ProconsulErrorCode,
  ProconsulErrorJson,
  ProconsulErrorOptions,
  ProconsulErrorReason,
} from './errors/proconsul-error.js'
export type { ErrorFacts } from './errors/error-facts.js'

// registration
export type { Registration } from './registration/registration.js'
export type { RegistrationState } from './registration/life/phase.js'
export type { ConflictDetails, HeartbeatDetails, LostDetails, RegistrationEvents } from './registration/life/events.js'
export type {
  DeregisterOptions,
  EventLoopOptions,
  HeartbeatOptions,
  PortDefinition,
  RegisterOptions,
  ServiceDefinition,
  ServiceUpdate,
  ServiceWeights,
} from './registration/definition/service-definition.js'
export type {
  AliasCheckDefinition,
  CheckDefinition,
  GrpcCheckDefinition,
  HttpCheckDefinition,
  TcpCheckDefinition,
  TtlCheckDefinition,
} from './registration/definition/check-definition.js'
export type { HealthHandler } from './registration/health/health-handler.js'
export type { ProbeResult, RegistrationHealth } from './registration/health/probe-board.js'
export type { Probe, ProbeDefinition, Probes } from './registration/definition/probe-definition.js'

// discovery
export { filter } from './discovery/filter.js'
export type { FilterExpression } from './discovery/filter.js'
export type { ServiceHealth } from './discovery/service-health.js'
export type { CatalogQuery, FailoverOptions, ServiceQuery, ServiceWatchQuery } from './discovery/service-query.js'
export type { DiscoverQuery, EventsQuery, PreparedQueryWatch } from './discovery/discovery.js'
export type {
  ChecksSnapshot,
  ChecksWatcher,
  EventsSnapshot,
  EventsWatcher,
  NodesSnapshot,
  NodesWatcher,
  ServiceName,
  ServicesSnapshot,
  ServicesWatcher,
} from './discovery/catalog-watchers.js'

// instances, of whatever registry
export { defineInstance } from './instances/service-instance.js'
export { instanceUrl } from './instances/instance-url.js'
export { watchInstances } from './instances/watch-instances.js'
export type { InstanceFields, InstanceStatus, ServiceInstance } from './instances/service-instance.js'
export type { InstanceUrlOptions } from './instances/instance-url.js'
export type { EmptyReason, InstanceList, InstanceSource, ItemList, ListFacts } from './instances/instance-source.js'
export type { SourceFailoverOptions, WatchInstancesOptions } from './instances/watch-instances.js'
export type { FailoverTimes } from './instances/guard-options.js'
export type { ListChange, ListWatcher, ListWatcherEvents, SnapshotFacts } from './instances/list-watcher.js'
export type { ServiceSnapshot, ServiceWatcher, ServiceWatcherEvents } from './instances/service-watcher.js'
export type { ListDiff } from './core/keyed-list.js'
export type { WatchOptions } from './watch/watch-options.js'
export type { WatchDebug } from './watch/watch-engine.js'

// what is followed
export type { LiveEvents, ReadyOptions, Recovery, Staleness } from './live/live-view.js'
export type { LossGuardOptions } from './live/loss-guard-options.js'
export type { Confirmed, Hold, LiveSource, Observer } from './live/live-source.js'

// calling
export { createBalancer } from './balancer/create-balancer.js'
export type { BalancerSource, CreateBalancerOptions } from './balancer/create-balancer.js'
export type { ServiceBalancerOptions } from './proconsul.js'
export type { Balancer, PickOptions } from './balancer/balancer.js'
export type { BalancerOptions } from './balancer/balancer-options.js'
export type { CallWrap } from './balancer/calls/call-options.js'
export type {
  BalancerChange,
  BalancerEvents,
  EjectedDetails,
  PanicDetails,
  ReturnedDetails,
} from './balancer/pool/balancer-events.js'
export type { InstanceStats } from './balancer/balancer-stats.js'
export type { Call, CallContext, UseOptions } from './balancer/calls/call-options.js'
export type { FailureTest } from './balancer/retries/failure.js'
export type { CallBudget } from './balancer/retries/retry-budget.js'
export type { RetryBudgetOptions, RetryOptions } from './balancer/retries/retry-options.js'
export type { OutlierOptions } from './balancer/outliers/outlier-options.js'
export type { EjectionReason } from './balancer/outliers/outliers.js'
export type { PolicyName } from './balancer/policies/builtin.js'
export type { BalancerPolicy, Candidate, IsExcluded, Picker, PolicyContext } from './balancer/policies/policy.js'
export type { Outcome } from './balancer/members/outcome.js'
export type { Pick } from './balancer/members/pick.js'
export type { Exclusion } from './balancer/pool/pool.js'
export type { PeerPosition, SubsetOptions } from './balancer/selection/subset.js'
export type { ZoneOptions } from './balancer/selection/zone.js'

// configuration
export type {
  ConfigChange,
  ExplainedValue,
  LayerSummary,
  RejectedConfig,
  Settings,
  SettingsEvents,
} from './config/settings.js'
export type {
  BeforeApply,
  ConfigLossGuard,
  ConfigOptions,
  FormatFunction,
  TypedConfigOptions,
} from './config/options/config-options.js'
export type { ApplicationLayers } from './config/layers/layer.js'
export type { ConfigSchema } from './config/options/schema.js'
export type { ConfigIssue } from './config/assembly/issue.js'
export type { ConfigOrigin } from './config/assembly/origin.js'
export type { DeepReadonly, PathValue } from './config/settings-value.js'
export type { Tree, TreeObject } from './config/tree/tree.js'

// keys and values
export type { Kv, KvWatchOptions } from './kv/kv.js'
export type { KvChange, KvWatcher } from './kv/kv-watcher.js'
export type { KvChangeFunction, KvUpdateOptions } from './kv/kv-update.js'
export type { KvExportEntry, KvImportOptions, KvImportReport, KvImportSource } from './kv/kv-import.js'
export type {
  KvBytesOptions,
  KvDeleteOptions,
  KvDeleteTreeOptions,
  KvKeysOptions,
  KvReadOptions,
  KvSetOptions,
  KvTextOptions,
} from './api/kv.js'
export type { KvEncoding, KvEntry } from './api/kv-entry.js'
export type { TxnBytesOptions, TxnFailure, TxnOperation, TxnOptions, TxnResult, TxnTextOptions } from './api/txn.js'

// endpoints
export type { AgentApi, AgentMember, AgentSelf } from './api/agent.js'
export type { AgentCheckApi, CheckRegistration, SettableStatus } from './api/agent-check.js'
export type {
  AgentServiceApi,
  AgentServiceOptions,
  LocalHealth,
  RegisterServiceOptions,
  ServiceRegistration,
} from './api/agent-service.js'
export type {
  CatalogApi,
  CatalogDeregistration,
  CatalogNode,
  CatalogRegistration,
  CatalogService,
  CatalogServiceOptions,
} from './api/catalog.js'
export type { EventApi, FireEventOptions, ListEventsOptions, UserEvent } from './api/event.js'
export type { HealthApi, HealthServiceOptions, HealthState } from './api/health.js'
export type {
  CheckEntry,
  CheckStatus,
  NodeEntry,
  ServiceEntry,
  ServicePort,
  ServiceRecord,
  TaggedAddress,
} from './api/health-entry.js'
export type {
  ExecuteQueryOptions,
  PreparedQueryApi,
  QueryDefinition,
  QueryResult,
  StoredQuery,
} from './api/prepared-query.js'
export type { Session, SessionApi, SessionBehavior, SessionDefinition } from './api/session.js'
export type { StatusApi } from './api/status.js'
export type { ListOptions, ReadOptions, RequestOptions } from './api/options.js'
export type { Answer } from './api/wire.js'
export type { QueryMeta } from './http/query-meta.js'

// leaving
export type { CloseOptions, SignalOptions } from './lifecycle/shutdown-options.js'
export type { DrainedHook, HookContext } from './lifecycle/drained-hook.js'
export type { LeftBehind, ShutdownReport } from './lifecycle/shutdown.js'
export type { SignalHandlers } from './lifecycle/process-signals.js'

// for whoever injects them
export type { Random } from './core/backoff.js'
export type { Clock, Timer } from './core/clock.js'
export type { Duration } from './core/duration.js'
export type { LogFields, Logger } from './core/logger.js'
