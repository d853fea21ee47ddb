import { configTable } from './config-table';

test('a line has median and quartiles of the rounds, times of single operations, and cores', () => {
  const table = configTable([
    {
      what: 'creates',
      goal: '2 000',
      unit: '1/s',
      samples: [2000, 2100, 1900],
      latenciesMs: [1, 2, 3],
      cores: [{ 'config-api': 0.8 }, { 'config-api': 1 }, { 'config-api': 0.5 }],
      server: 'config-api',
    },
  ]);
  expect(table.split('\n')[2]).toBe('| creates | 2,000 (1,950–2,050) 1/s | 2 000 | 2.00 | 2.98 | 2,500 | config-api 0.80 |');
});

test('one round has no quartiles, and what was not measured is empty', () => {
  const table = configTable([{ what: 'memory', goal: '', unit: 'MB', samples: [12.345] }]);
  expect(table.split('\n')[2]).toBe('| memory | 12.35 MB |  |  |  |  |  |');
});
