import { cpuSeconds, parseCpuSeconds, parseResidentBytes, residentBytes } from './process-usage';

test('CPU time is user and system, whatever the process is called', () => {
  const stat = '42 (node (x) y) S 1 42 42 0 -1 4194304 100 0 0 0 250 50 0 0 20 0 11 0 1234 1000 2000 0';
  expect(parseCpuSeconds(stat)).toBe(3);
});

test('resident memory is in bytes', () => {
  expect(parseResidentBytes('Name:\tnode\nVmHWM:\t  2048 kB\nVmRSS:\t  1024 kB\n')).toBe(1_048_576);
});

test.each([
  ['stat', () => parseCpuSeconds('42 (node) S 1')],
  ['status', () => parseResidentBytes('Name:\tkthreadd\n')],
])('what is no %s is refused', (_, parse) => {
  expect(parse).toThrow('/proc/PID');
});

test('reads this process', () => {
  expect(cpuSeconds(process.pid)).toBeGreaterThan(0);
  expect(residentBytes(process.pid)).toBeGreaterThan(10_000_000);
});
