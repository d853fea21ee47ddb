import nx from '@nx/eslint-plugin';
import tseslint from 'typescript-eslint';

/** Packages that only one adapter may import; everybody else goes through its library. */
const reserved = {
  redis: ['redis'],
  grpc: ['@grpc/grpc-js', '@grpc/reflection', 'grpc-health-check', '@grpc/proto-loader'],
  otel: ['@opentelemetry/*', 'prom-client', 'pino'],
};
const restrict = (...groups) => ({
  'no-restricted-imports': [
    'error',
    { patterns: [{ group: groups.flat(), message: 'Use the library that wraps it (docs: CONTRIBUTING.md).' }] },
  ],
});

export default [
  { ignores: ['dist/**', 'node_modules/**', 'libs/proto-gen/src/**', '**/*.js', '**/*.mjs', '.nx/**', 'coverage/**'] },
  { files: ['**/*.ts'], languageOptions: { parser: tseslint.parser, parserOptions: { projectService: true, tsconfigRootDir: import.meta.dirname } }, plugins: { '@typescript-eslint': tseslint.plugin, '@nx': nx },
    rules: {
      '@typescript-eslint/no-explicit-any': 'error',
      '@typescript-eslint/no-non-null-assertion': 'error',
      '@typescript-eslint/no-floating-promises': 'error',
      '@typescript-eslint/no-misused-promises': 'error',
      '@typescript-eslint/switch-exhaustiveness-check': ['error', { considerDefaultExhaustiveForUnions: true }],
      '@typescript-eslint/consistent-type-imports': 'error',
      '@typescript-eslint/no-unused-vars': ['error', { argsIgnorePattern: '^_' }],
      'no-restricted-syntax': ['error', { selector: 'ExportAllDeclaration', message: 'Name what is exported.' }],
      'max-lines': ['error', { max: 400, skipBlankLines: true, skipComments: true }],
      eqeqeq: 'error',
      '@nx/enforce-module-boundaries': ['error', {
        allow: [],
        // main.ts loads the app after tracing, by a dynamic import; that is no lazy library.
        checkDynamicDependenciesExceptions: ['.*'],
        depConstraints: [
          { sourceTag: 'type:app', onlyDependOnLibsWithTags: ['type:adapter', 'type:domain', 'type:proto', 'type:telemetry', 'type:util'] },
          { sourceTag: 'type:adapter', onlyDependOnLibsWithTags: ['type:domain', 'type:proto', 'type:telemetry', 'type:util'] },
          { sourceTag: 'type:domain', onlyDependOnLibsWithTags: ['type:domain', 'type:proto', 'type:util'] },
          { sourceTag: 'type:telemetry', onlyDependOnLibsWithTags: ['type:util'] },
          { sourceTag: 'type:proto', onlyDependOnLibsWithTags: ['type:util'] },
          { sourceTag: 'type:util', onlyDependOnLibsWithTags: ['type:util'] },
          { sourceTag: 'type:testing', onlyDependOnLibsWithTags: ['*'] },
          { sourceTag: 'type:tool', onlyDependOnLibsWithTags: ['*'] },
          { sourceTag: 'plane:config', onlyDependOnLibsWithTags: ['plane:config', 'plane:shared'] },
          { sourceTag: 'plane:control', onlyDependOnLibsWithTags: ['plane:control', 'plane:shared'] },
          { sourceTag: 'plane:data', onlyDependOnLibsWithTags: ['plane:data', 'plane:shared'] },
          { sourceTag: 'plane:ui', onlyDependOnLibsWithTags: ['plane:ui', 'plane:shared'] },
          { sourceTag: 'plane:shared', onlyDependOnLibsWithTags: ['plane:shared'] },
        ],
      }],
    } },
  { files: ['apps/**/*.ts', 'libs/**/*.ts'], ignores: ['**/*.spec.ts', '**/testing/**', 'apps/*/dev/**', 'libs/testing/**', 'libs/rpc/**', 'libs/store/**', 'libs/telemetry/**'], rules: restrict(reserved.redis, reserved.grpc, reserved.otel) },
  { files: ['libs/rpc/**/*.ts'], rules: restrict(reserved.redis, reserved.otel) },
  { files: ['libs/store/**/*.ts'], ignores: ['**/*.spec.ts'], rules: restrict(reserved.grpc, reserved.otel) },
  { files: ['libs/telemetry/**/*.ts'], ignores: ['**/*.spec.ts'], rules: restrict(reserved.redis, reserved.grpc) },
  { files: ['apps/**/*.ts'], ignores: ['apps/config-api/**', 'apps/ipam/**'], rules: { 'no-restricted-imports': ['error', { patterns: [{ group: [...reserved.redis, ...reserved.grpc, ...reserved.otel, '@contrail/store'], message: 'Only config-api and ipam open the store.' }] }] } },
  { files: ['**/*.spec.ts', 'e2e/**/*.ts', '**/dev/**/*.ts', '**/testing/**/*.ts'], rules: { '@nx/enforce-module-boundaries': 'off', 'max-lines': ['error', { max: 600, skipBlankLines: true, skipComments: true }] } },
];
