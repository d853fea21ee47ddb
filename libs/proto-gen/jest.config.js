module.exports = { ...require('../../jest.preset.js'), displayName: 'proto-gen', rootDir: __dirname };
