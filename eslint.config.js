import { createTypeScriptImportResolver } from 'eslint-import-resolver-typescript'
import importX from 'eslint-plugin-import-x'
import tseslint from 'typescript-eslint'

/**
 * Who may import whom inside src (docs/architecture.md has the same table). A folder not listed is the entry level.
 * `types:` marks a folder of which only the types may be imported.
 */
const LAYERS = {
  errors: [],
  core: ['errors'],
  lifecycle: ['core', 'errors'],
  http: ['core', 'errors'],
  api: ['http', 'core', 'errors'],
  watch: ['core', 'errors', 'lifecycle', 'types:http'],
  discovery: ['api', 'watch', 'lifecycle', 'core', 'errors', 'types:http'],
  config: ['api', 'watch', 'lifecycle', 'core', 'errors', 'types:http'],
  kv: ['api', 'watch', 'lifecycle', 'core', 'errors', 'types:http'],
  registration: ['api', 'watch', 'lifecycle', 'core', 'errors', 'types:http'],
  testing: ['core'],
  cli: ['config', 'kv', 'testing', 'core', 'errors'],
}

const ENTRY_LEVEL = {
  regex: '^\\.\\./(?:\\.\\./)*(?:index|proconsul|options)\\.js$',
  message: 'Only the command may import the entry level.',
}

const folders = Object.keys(LAYERS)

const layerRules = folders.map((folder) => {
  const allowed = LAYERS[folder]
  const forbidden = folders.filter(
    (other) => other !== folder && !allowed.includes(other) && !allowed.includes(`types:${other}`),
  )
  const typesOnly = allowed.filter((entry) => entry.startsWith('types:')).map((entry) => entry.slice('types:'.length))
  const patterns = [
    ...(folder === 'cli' ? [] : [ENTRY_LEVEL]),
    { regex: '^proconsul(/|$)', message: 'Inside src, import by relative path.' },
    ...forbidden.map((other) => ({
      regex: `^(?:\\.\\./)+${other}/`,
      message: `src/${folder} may not import src/${other}: see docs/architecture.md.`,
    })),
    ...typesOnly.map((other) => ({
      regex: `^(?:\\.\\./)+${other}/`,
      allowTypeImports: true,
      message: `src/${folder} may import only types of src/${other}: see docs/architecture.md.`,
    })),
  ]
  return {
    files: [`src/${folder}/**/*.ts`],
    rules: { '@typescript-eslint/no-restricted-imports': ['error', { patterns }] },
  }
})

export default tseslint.config(
  { ignores: ['dist', 'coverage', '.cache', 'node_modules'] },
  {
    files: ['**/*.ts'],
    extends: [tseslint.configs.strictTypeChecked, tseslint.configs.stylisticTypeChecked],
    languageOptions: {
      parserOptions: { projectService: { allowDefaultProject: ['*.config.ts'] }, tsconfigRootDir: import.meta.dirname },
    },
    plugins: { 'import-x': importX },
    settings: { 'import-x/resolver-next': [createTypeScriptImportResolver({ noWarnOnMultipleProjects: true })] },
    rules: {
      'import-x/no-cycle': 'error',
      '@typescript-eslint/consistent-type-imports': 'error',
      '@typescript-eslint/restrict-template-expressions': ['error', { allowNumber: true, allowBoolean: true }],
      '@typescript-eslint/no-confusing-void-expression': ['error', { ignoreArrowShorthand: true }],
    },
  },
  {
    files: ['src/**/*.ts'],
    rules: {
      'max-lines': ['error', { max: 400 }],
      'no-console': 'error',
      '@typescript-eslint/no-explicit-any': 'error',
      '@typescript-eslint/consistent-type-assertions': ['error', { assertionStyle: 'never' }],
    },
  },
  {
    // The wire boundary: the untyped client and the JSON that comes through it get their types here and nowhere else.
    files: ['src/http/wire-client.ts', 'src/api/wire.ts'],
    rules: {
      '@typescript-eslint/consistent-type-assertions': 'off',
      '@typescript-eslint/no-unnecessary-type-parameters': 'off',
    },
  },
  ...layerRules,
)
