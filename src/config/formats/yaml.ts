import type * as Yaml from 'yaml'
import { ProconsulError } from '../../errors/proconsul-error.js'
import { toTree } from '../tree/tree.js'
import { DocumentProblem, positionAt, type ParseDocument } from './document.js'
import { expectStorable } from './storable.js'

/** A few aliases are a convenience; thousands are an attack. The default of the `yaml` package, named here because we rely on it. */
const MAX_ALIASES = 100

/**
 * Loads the optional `yaml` package and returns a reader of YAML 1.2 documents (with the `<<` merge key of 1.1). One that is empty, or
 * null, is an empty object.
 * @throws ProconsulError `PROCONSUL_MISSING_PEER` when the package is not installed
 */
export async function loadYaml(): Promise<ParseDocument> {
  const yaml = await importYaml()
  return (text) => toTree(valueOf(yaml, text) ?? {})
}

/**
 * The same for people who want each value stored as it is written: whatever is no list and no object is a text. What {@link loadYaml}
 * refuses is refused as well, and what no key can hold.
 */
export async function loadYamlAsWritten(): Promise<ParseDocument> {
  const yaml = await importYaml()
  return (text) => {
    expectStorable(toTree(valueOf(yaml, text) ?? {}))
    // In this schema every scalar is a text.
    return toTree(valueOf(yaml, text, 'failsafe') ?? {})
  }
}

function valueOf({ parseDocument }: typeof Yaml, text: string, schema?: 'failsafe'): unknown {
  const options = { merge: true, prettyErrors: false, logLevel: 'error', ...(schema && { schema }) } as const
  const document = parseDocument(text, options)
  const [error] = document.errors
  // The package's message may quote the document; its code does not.
  if (error !== undefined) {
    const code = error.code.toLowerCase().replaceAll('_', ' ')
    throw new DocumentProblem(`is not YAML (${code})`, positionAt(text, error.pos[0]))
  }
  try {
    return document.toJS({ maxAliasCount: MAX_ALIASES })
  } catch {
    throw new DocumentProblem('is not YAML that can be read (an alias without its anchor, or too many aliases)')
  }
}

async function importYaml(): Promise<typeof Yaml> {
  try {
    return await import('yaml')
  } catch (cause) {
    throw new ProconsulError(
      'PROCONSUL_MISSING_PEER',
      "the format 'yaml' needs the package yaml (version 2.5 or later): npm install yaml",
      { cause },
    )
  }
}
