module.exports = { ...require('../../jest.preset.js'), displayName: 'cni', rootDir: __dirname };
