// Shared by every project's jest.config.js: swc compiles, path aliases as in tsconfig.base.json.
const path = require('node:path');

const root = __dirname;
module.exports = {
  testEnvironment: 'node',
  // Generous: machines are noisy, and a test that hangs still ends.
  testTimeout: 30_000,
  testMatch: ['<rootDir>/**/*.spec.ts'],
  testPathIgnorePatterns: ['/node_modules/', '/dist/'],
  moduleFileExtensions: ['ts', 'js', 'json'],
  setupFiles: [path.join(root, 'tools/jest-setup.js')],
  transform: {
    '^.+\\.ts$': [
      require.resolve('@swc/jest'),
      {
        jsc: { target: 'es2022', parser: { syntax: 'typescript', decorators: false } },
        module: { type: 'commonjs' },
        swcrc: false,
      },
    ],
  },
  moduleNameMapper: {
    '^@contrail/proto-gen/(.*)$': path.join(root, 'libs/proto-gen/src/contrail/$1.ts'),
    '^@contrail/([^/]+)$': path.join(root, 'libs/$1/src/index.ts'),
  },
};
