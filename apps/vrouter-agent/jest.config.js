module.exports = { ...require('../../jest.preset.js'), displayName: 'vrouter-agent', rootDir: __dirname };
