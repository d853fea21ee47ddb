import { costsBetween, parsePrograms } from './program-costs';

const program = (id: number, name: string, runs: number, nanoseconds: number): Record<string, unknown> => ({
  id,
  type: 'sched_cls',
  name,
  run_cnt: runs,
  run_time_ns: nanoseconds,
});

test('a program that never ran has no times and is left out', () => {
  const text = JSON.stringify([program(1, 'pod', 3, 600), { id: 2, type: 'sched_cls', name: 'host' }, { ...program(3, 'other', 1, 1), type: 'kprobe' }]);
  expect(parsePrograms(text)).toEqual(new Map([[1, { name: 'pod', runs: 3, nanoseconds: 600 }]]));
});

test('costs of one name are added up, those of before are taken off', () => {
  const before = parsePrograms(JSON.stringify([program(1, 'pod', 10, 1000), program(2, 'tunnel', 5, 500)]));
  const after = parsePrograms(
    JSON.stringify([program(1, 'pod', 30, 4000), program(2, 'tunnel', 5, 500), program(3, 'pod', 20, 2000)]),
  );
  expect(costsBetween(before, after)).toEqual([{ name: 'pod', runs: 40, nanoseconds: 5000 }]);
});
