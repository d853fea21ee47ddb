// All unit and application tests of the workspace in one process: `npx jest`. End-to-end tests have
// their own configuration in e2e/ because they need a cluster.
const { readdirSync, existsSync } = require('node:fs');

const projects = ['libs', 'apps', 'tools'].flatMap((dir) =>
  readdirSync(dir)
    .map((name) => `<rootDir>/${dir}/${name}`)
    .filter((p) => existsSync(p.replace('<rootDir>', __dirname) + '/jest.config.js')),
);
// Of several projects at once jest takes this from here only.
module.exports = { projects, testTimeout: require('./jest.preset.js').testTimeout };
