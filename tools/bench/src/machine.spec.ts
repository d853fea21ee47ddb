import { stolenText, toProcessorTime } from './machine';

describe('time that the hypervisor takes', () => {
  const before = toProcessorTime('cpu  100 10 50 800 5 0 5 30 7 0\ncpu0 1 1 1 1 1 1 1 1 1 1\n');
  const after = toProcessorTime('cpu  200 10 90 1200 5 0 5 90 9 0\n');

  it('is the eighth number, and time of guests is not counted twice', () => {
    expect(before).toEqual({ all: 1000, stolen: 30 });
  });

  it('is told as a share of what passed between two readings', () => {
    expect(stolenText(before, after)).toBe("10.0 % of the processors' time stolen by the hypervisor");
    expect(stolenText(before, before)).toMatch(/^0\.0 %/);
  });
});
