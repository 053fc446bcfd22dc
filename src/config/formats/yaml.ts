import type * as Yaml from 'yaml'
import { ProconsulError } from '../../errors/proconsul-error.js'
import { toTree } from '../tree/tree.js'
import { DocumentProblem, positionAt, type ParseDocument } from './document.js'

/** A few aliases are a convenience; thousands are an attack. The default of the `yaml` package, named here because we rely on it. */
const MAX_ALIASES = 100

/**
 * Loads the optional `yaml` package and returns a reader of YAML 1.2 documents (with the `<<` merge key of 1.1).
 * @throws ProconsulError `PROCONSUL_MISSING_PEER` when the package is not installed
 */
export async function loadYaml(): Promise<ParseDocument> {
  const { parseDocument } = await importYaml()
  return (text) => {
    const document = parseDocument(text, { merge: true, prettyErrors: false, logLevel: 'error' })
    const [error] = document.errors
    // The package's message may quote the document; its code does not.
    if (error !== undefined) {
      throw new DocumentProblem(
        `is not YAML (${error.code.toLowerCase().replaceAll('_', ' ')})`,
        positionAt(text, error.pos[0]),
      )
    }
    return toTree(valueOf(() => document.toJS({ maxAliasCount: MAX_ALIASES })) ?? {})
  }
}

function valueOf(read: () => unknown): unknown {
  try {
    return read()
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
