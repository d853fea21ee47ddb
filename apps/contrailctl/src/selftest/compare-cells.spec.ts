import { compareCell } from './compare-cells';
import type { Cell } from './compare-cells';

const cell = (expected: Partial<Cell['expected']>): Cell => ({
  from: 'pod a/probe-0 on node node1',
  to: 'service b/probe',
  target: { address: '10.96.0.7', protocol: 'tcp', port: 27_100, isSilent: false },
  expected: { reachable: true, reason: 'because', answerers: ['b/probe-0', 'b/probe-1'], ...expected },
});

it.each([
  ['one of those who may answer', cell({}), 'b/probe-1'],
  ['a connection to somebody silent', cell({ answerers: [] }), 'connected'],
  ['silence where nothing may pass', cell({ reachable: false }), '!timeout'],
])('%s is as expected', (_name, given, answer) => {
  expect(compareCell(given, answer)).toBeUndefined();
});

it.each([
  ['silence where somebody should answer', cell({}), '!timeout', 'answered by b/probe-0 or b/probe-1: because', 'no answer: timeout'],
  ['an answer of somebody else', cell({}), 'c/probe-0', 'answered by b/probe-0 or b/probe-1: because', 'answered by c/probe-0'],
  ['an answer where nothing may pass', cell({ reachable: false }), 'b/probe-0', 'no answer: because', 'answered by b/probe-0'],
])('%s is a difference', (_name, given, answer, expected, found) => {
  expect(compareCell(given, answer)).toEqual({ from: given.from, to: given.to, traffic: 'tcp 10.96.0.7:27100', expected, found });
});

it('an echo has no port', () => {
  const echo: Cell = { ...cell({ reachable: false }), target: { address: '10.32.0.7', protocol: 'icmp', port: 0, isSilent: true } };
  expect(compareCell(echo, 'connected')).toMatchObject({ traffic: 'icmp 10.32.0.7', found: 'answered by connected' });
});
