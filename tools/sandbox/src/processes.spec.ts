import { isAlive, parseStartTime, readStartTime } from './processes';

describe('process records', () => {
  it('read the start time after a name with spaces and parentheses', () => {
    const fields = Array.from({ length: 30 }, (_, i) => String(i + 4)).join(' ');
    expect(parseStartTime(`7 (a ) b (c)) S ${fields}`)).toBe('22');
  });

  it('know this process, and not one that had its pid before', async () => {
    const startTime = (await readStartTime(process.pid)) ?? '';
    expect(await isAlive({ pid: process.pid, startTime })).toBe(true);
    expect(await isAlive({ pid: process.pid, startTime: `${startTime}0` })).toBe(false);
  });
});
