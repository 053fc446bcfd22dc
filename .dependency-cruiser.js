/**
 * Who may import whom inside src, type imports included; docs/architecture.md has the same table. `npm run lint` checks it, and that there
 * is no cycle of any kind: between files, or between folders.
 */

const BASE = ['core', 'errors']

/** Beside itself, and beside `core` and `errors` where the list does not say otherwise. `types:` allows type imports only. */
const MAY_IMPORT = {
  errors: { only: [] },
  core: { only: ['errors'] },
  lifecycle: [],
  http: [],
  api: ['http'],
  live: ['lifecycle'],
  watch: ['live', 'lifecycle', 'types:http'],
  instances: ['live', 'lifecycle'],
  discovery: ['instances', 'api', 'watch', 'live', 'lifecycle', 'types:http'],
  balancer: ['instances', 'live', 'lifecycle'],
  config: ['api', 'watch', 'live', 'lifecycle', 'types:http'],
  kv: ['api', 'watch', 'live', 'lifecycle', 'types:http'],
  registration: ['api', 'watch', 'live', 'lifecycle', 'types:http'],
  options: ['watch', 'http'],
  testing: { only: ['core'] },
  cli: ['config', 'kv', 'testing', 'entry'],
}

/** The same for parts of a folder. */
const PARTS_MAY_IMPORT = {
  'registration/identity': [],
  'registration/definition': ['registration/identity'],
  'registration/health': ['registration/definition', 'registration/identity'],
  'registration/heartbeat': ['registration/health', 'registration/definition', 'registration/record/record.ts'],
  'registration/life': [
    'registration/heartbeat',
    'registration/health',
    'registration/definition',
    'registration/identity',
    'registration/record/record.ts',
    'lifecycle',
  ],
}

/** Files of the entry level: the public list and the composition root. They may import all but `testing` and `cli`. */
const ENTRY = '^src/(?:index|proconsul)\\.ts$'

const ENTRY_NAME = 'entry'

function pathOf(name) {
  if (name === ENTRY_NAME) return ENTRY
  return name.endsWith('.ts') ? `^src/${name.replace('.', '\\.')}$` : `^src/${name}/`
}

function rules(name, allowed) {
  const names = Array.isArray(allowed) ? [...BASE, ...allowed] : allowed.only
  const values = names.filter((entry) => !entry.startsWith('types:'))
  const types = names.filter((entry) => entry.startsWith('types:')).map((entry) => entry.slice('types:'.length))
  return [
    {
      name: `${name}-imports`,
      comment: `src/${name} may import only what docs/architecture.md says.`,
      severity: 'error',
      from: { path: pathOf(name) },
      to: { path: '^src/', pathNot: [pathOf(name), ...[...values, ...types].map(pathOf)] },
    },
    ...types.map((other) => ({
      name: `${name}-imports-types-of-${other}`,
      comment: `src/${name} may import only types of src/${other}.`,
      severity: 'error',
      from: { path: pathOf(name) },
      to: { path: pathOf(other), dependencyTypesNot: ['type-only'] },
    })),
  ]
}

export default {
  forbidden: [
    {
      name: 'no-cycle',
      comment: 'Files that import each other cannot be understood, moved or tested alone.',
      severity: 'error',
      from: {},
      to: { circular: true },
    },
    {
      name: 'no-folder-cycle',
      comment: 'Neither can folders.',
      severity: 'error',
      scope: 'folder',
      from: { path: '^src/.' },
      to: { circular: true, path: '^src/.' },
    },
    {
      name: 'no-unresolved',
      comment: 'An import that cannot be found is checked by nothing.',
      severity: 'error',
      from: {},
      to: { couldNotResolve: true },
    },
    {
      name: 'entry-imports',
      comment: 'The embedded agent and the command are entries of their own.',
      severity: 'error',
      from: { path: ENTRY },
      to: { path: '^src/(?:testing|cli)/' },
    },
    {
      name: 'every-folder-has-a-rule',
      comment: 'A new folder needs a line here and in docs/architecture.md.',
      severity: 'error',
      from: { path: '^src/', pathNot: [ENTRY, ...Object.keys(MAY_IMPORT).map(pathOf)] },
      to: {},
    },
    ...Object.entries(MAY_IMPORT).flatMap(([name, allowed]) => rules(name, allowed)),
    ...Object.entries(PARTS_MAY_IMPORT).flatMap(([name, allowed]) => rules(name, allowed)),
  ],
  options: {
    doNotFollow: { path: 'node_modules' },
    includeOnly: '^src/',
    tsPreCompilationDeps: true,
    tsConfig: { fileName: 'tsconfig.json' },
    enhancedResolveOptions: { extensions: ['.ts', '.js'] },
  },
}
