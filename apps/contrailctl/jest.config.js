module.exports = { ...require('../../jest.preset.js'), displayName: 'contrailctl', rootDir: __dirname };
