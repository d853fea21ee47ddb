// End-to-end tests: they need a running sandbox (SANDBOX=its name) and run one after another.
module.exports = {
  ...require('../../jest.preset.js'),
  displayName: 'e2e',
  rootDir: __dirname,
  testMatch: ['<rootDir>/specs/**/*.e2e.ts'],
  testTimeout: 180_000,
  maxWorkers: 1,
};
