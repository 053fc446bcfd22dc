import { ProconsulError } from '../../errors/proconsul-error.js'

/** One thing that is wrong with a state of the configuration. Never holds the value of a secret. */
export interface ConfigIssue {
  readonly message: string
  /** Path in the configuration, such as `db.pool.size`. */
  readonly path?: string
  readonly layer?: string
  /** The key of the KV store. */
  readonly key?: string
  /** Raft index of the key's last change. */
  readonly modifyIndex?: number
  /** Place in a document, counted from 1. */
  readonly line?: number
  readonly column?: number
}

/** The issue as one line for people. */
function issueText(issue: ConfigIssue): string {
  const { key, line, column, path, message } = issue
  const place = line === undefined ? key : `${key ?? ''}:${line}:${column ?? 1}`
  return [place, path, message].filter((part) => part !== undefined && part !== '').join(': ')
}

/** Thrown by the steps that make a configuration out of keys. */
export class ConfigRejection extends Error {
  readonly issues: readonly ConfigIssue[]
  /** What users are told. */
  readonly error: ProconsulError

  constructor(issues: readonly ConfigIssue[], error = configInvalid(issues)) {
    super('the configuration is not acceptable')
    this.issues = issues
    this.error = error
  }
}

const SHOWN_ISSUES = 10

function configInvalid(issues: readonly ConfigIssue[]): ProconsulError {
  const shown = issues.slice(0, SHOWN_ISSUES).map((issue) => `\n  ${issueText(issue)}`)
  const more = issues.length > SHOWN_ISSUES ? `\n  and ${issues.length - SHOWN_ISSUES} more` : ''
  return new ProconsulError('PROCONSUL_CONFIG_INVALID', `the configuration is not acceptable:${shown.join('')}${more}`)
}
