import type { LoadResult, TrafficTest } from './load';
import { trafficTables } from './traffic';

const result = (operations: number): LoadResult => ({
  seconds: 1,
  bytes: operations * 125_000_000,
  operations,
  p50Us: 1e6 / operations,
  p99Us: 2e6 / operations,
  errors: 0,
});
const paths = [
  { name: 'bare', clientNetns: 'c', address: '198.51.100.1' },
  { name: 'limit', clientNetns: 'c', address: '198.51.100.1' },
  { name: 'ours', clientNetns: 'c', address: '198.51.100.1', limit: 'limit' },
];
const tableOf = (test: TrafficTest, ours: Array<LoadResult | undefined>): string[] => {
  const ofTest = new Map([
    ['bare', [result(20_000), result(10_000)]],
    ['limit', [result(16_000), result(8000)]],
    ['ours', ours],
  ]);
  return trafficTables(new Map([[test, ofTest]]), paths, 'bare').split('\n');
};

test('ratios are paired by round, so a slow round changes none', () => {
  const lines = tableOf('rr', [result(15_000), result(7500)]);
  expect(lines[0]).toContain('TCP request/response, 1/s');
  expect(lines[2]).toMatch(/^\| bare \| 15,000 \(12,500–17,500\) \| 75\.0 \| 150\.0 \| 1 \|/);
  expect(lines[4]).toContain('| 0.750 (0.75–0.75) | 0.938 (0.94–0.94) of limit | 0.938 (0.94–0.94) | 2/2 |');
});

test('a round with errors counts as missing', () => {
  expect(tableOf('rr', [undefined, result(7500)])[4]).toContain('| 0.750 (0.75–0.75) | 0.938 (0.94–0.94) of limit | 0.938 (0.94–0.94) | 1/2 |');
  expect(tableOf('rr', [undefined, undefined])[4]).toContain('| – | – of limit | – | 0/2 |');
});

test('a stream has no time of an operation', () => {
  expect(tableOf('stream', [])[2]).toContain('| 15,000 (12,500–17,500) |  |  | 1 |');
});
