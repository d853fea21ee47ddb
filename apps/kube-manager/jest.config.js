module.exports = { ...require('../../jest.preset.js'), displayName: 'kube-manager', rootDir: __dirname };
