export { testPki } from './test-pki';
export type { TestCertificate, TestPki } from './test-pki';
export { startRedis } from './redis';
export type { TestRedis, TestRedisOptions } from './redis';
