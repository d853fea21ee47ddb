import { parseArguments } from './arguments';

const known = new Map([
  ['datapath', 'the forwarding plane'],
  ['config', 'the config plane'],
]);
const off = { quick: false, write: false, help: false, rounds: undefined, tests: undefined };

test.each([
  { args: [], want: { ...off, scenarios: ['datapath', 'config'] } },
  { args: ['config', 'datapath'], want: { ...off, scenarios: ['datapath', 'config'] } },
  { args: ['config', '--quick'], want: { ...off, scenarios: ['config'], quick: true } },
  { args: ['--rounds', '3', 'config', '--write'], want: { ...off, scenarios: ['config'], rounds: 3, write: true } },
  { args: ['--tests', 'crr,stream', 'config'], want: { ...off, scenarios: ['config'], tests: ['stream', 'crr'] } },
  { args: ['--help'], want: { ...off, scenarios: ['datapath', 'config'], help: true } },
])('$args', ({ args, want }) => {
  expect(parseArguments(args, known)).toEqual(want);
});

test.each([
  { args: ['datapth'], says: 'datapth: neither a scenario nor an option' },
  { args: ['--fast'], says: '--fast: neither a scenario nor an option' },
  { args: ['--rounds'], says: '--rounds: needs a whole number above 0' },
  { args: ['--tests', 'rr,cr'], says: '--tests: "cr" is no test' },
  { args: ['--tests'], says: '--tests: "" is no test' },
  { args: ['--rounds', '0'], says: '--rounds: needs a whole number above 0' },
])('$args is refused with the usage', ({ args, says }) => {
  expect(() => parseArguments(args, known)).toThrow(says);
  expect(() => parseArguments(args, known)).toThrow('usage: npm run bench');
});
