import { invalidOption } from '../errors/invalid-option.js'

/**
 * The environment variables of Consul's own tools (https://developer.hashicorp.com/consul/commands#environment-variables), read by their
 * rules, with one difference: where those tools warn and go on with an unusable value, this refuses it. An empty variable counts as unset.
 */
export interface ConsulEnvironment {
  readonly address?: string
  readonly ssl?: boolean
  readonly sslVerify?: boolean
  readonly token?: string
  readonly tokenFile?: string
  /** `user:password`, split at the first colon. */
  readonly auth?: string
  readonly caFile?: string
  readonly caPath?: string
  readonly certFile?: string
  readonly keyFile?: string
  readonly serverName?: string
  readonly namespace?: string
  readonly partition?: string
}

/**
 * Reads the variables. Whether they fit together is decided where they are used: an option may stand in their place.
 * @throws ProconsulError `PROCONSUL_INVALID_OPTION`, naming the variable.
 */
export function readEnvironment(variables: NodeJS.ProcessEnv): ConsulEnvironment {
  const text = (name: string): string | undefined => (variables[name] === '' ? undefined : variables[name])
  const environment: { -readonly [Name in keyof ConsulEnvironment]: ConsulEnvironment[Name] | undefined } = {
    address: text('CONSUL_HTTP_ADDR'),
    ssl: flag('CONSUL_HTTP_SSL', text('CONSUL_HTTP_SSL')),
    sslVerify: flag('CONSUL_HTTP_SSL_VERIFY', text('CONSUL_HTTP_SSL_VERIFY')),
    token: text('CONSUL_HTTP_TOKEN'),
    tokenFile: text('CONSUL_HTTP_TOKEN_FILE'),
    auth: text('CONSUL_HTTP_AUTH'),
    caFile: text('CONSUL_CACERT'),
    caPath: text('CONSUL_CAPATH'),
    certFile: text('CONSUL_CLIENT_CERT'),
    keyFile: text('CONSUL_CLIENT_KEY'),
    serverName: text('CONSUL_TLS_SERVER_NAME'),
    namespace: text('CONSUL_NAMESPACE'),
    partition: text('CONSUL_PARTITION'),
  }
  return Object.fromEntries(Object.entries(environment).filter(([, value]) => value !== undefined))
}

/** The words of Go's ParseBool, which Consul's tools use. */
const TRUE = ['1', 't', 'T', 'TRUE', 'true', 'True']
const FALSE = ['0', 'f', 'F', 'FALSE', 'false', 'False']

function flag(name: string, value: string | undefined): boolean | undefined {
  if (value === undefined) return undefined
  if (TRUE.includes(value)) return true
  if (FALSE.includes(value)) return false
  throw invalidOption(name, value, `one of ${[...TRUE, ...FALSE].join(', ')}`)
}
