import tseslint from 'typescript-eslint'

/** An `expect` that nothing is asserted of passes whatever it is given, as `expect(greet(), 'Hello).toBe(ada')` did. */
const ASSERTING = {
  'no-restricted-syntax': [
    'error',
    {
      selector: ':not(MemberExpression) > CallExpression[callee.name="expect"]',
      message: 'This expect has no matcher, so it asserts nothing.',
    },
    {
      selector:
        ':not(MemberExpression):not(CallExpression) > MemberExpression[object.callee.name="expect"], :not(CallExpression) > MemberExpression[object.object.callee.name="expect"]:not(MemberExpression > MemberExpression)',
      message: 'This matcher is not called, so it asserts nothing.',
    },
  ],
}

export default tseslint.config(
  { ignores: ['dist', 'coverage', '.cache', 'node_modules'] },
  {
    files: ['**/*.ts'],
    extends: [tseslint.configs.strictTypeChecked, tseslint.configs.stylisticTypeChecked],
    languageOptions: {
      parserOptions: { projectService: { allowDefaultProject: ['*.config.ts'] }, tsconfigRootDir: import.meta.dirname },
    },
    rules: {
      '@typescript-eslint/consistent-type-imports': 'error',
      '@typescript-eslint/restrict-template-expressions': ['error', { allowNumber: true, allowBoolean: true }],
      '@typescript-eslint/no-confusing-void-expression': ['error', { ignoreArrowShorthand: true }],
    },
  },
  { files: ['src/**/*.ts', 'test/**/*.ts'], rules: { 'max-lines': ['error', { max: 400 }] } },
  {
    files: ['src/**/*.ts'],
    rules: {
      'no-console': 'error',
      '@typescript-eslint/no-explicit-any': 'error',
      '@typescript-eslint/no-restricted-imports': [
        'error',
        { patterns: [{ regex: '^proconsul(/|$)', message: 'Inside src, import by relative path.' }] },
      ],
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
  { files: ['test/**/*.ts', 'examples/**/*.{js,mjs,cjs}'], rules: ASSERTING },
)
