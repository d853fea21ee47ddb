module.exports = { ...require('../../jest.preset.js'), displayName: 'resource-model', rootDir: __dirname };
