import { readConfig } from './index';

describe('readConfig', () => {
  it('reads every kind and freezes the result', () => {
    const config = readConfig(
      { A: 'x', N: '7', B: 'True', L: 'a, b,', H: '[::1]:53', P: '10.0.0.0/8', D: '2m' },
      (r) => ({
        a: r.string('A'), n: r.integer('N', { min: 1 }), b: r.boolean('B'), l: r.list('L'), h: r.address('H'),
        p: r.prefixes('P').length, d: r.duration('D'), dd: r.duration('X', 250), e: r.list('Y', []), o: r.optionalString('Z'),
      }),
    );
    expect(config).toEqual({ a: 'x', n: 7, b: true, l: ['a', 'b'], h: { host: '::1', port: 53 }, p: 1, d: 120_000, dd: 250, e: [], o: undefined });
    expect(Object.isFrozen(config)).toBe(true);
  });

  it('reports every problem at once, with name, value and remedy', () => {
    const read = (): unknown =>
      readConfig({ N: '70000', B: 'maybe', H: 'nohost', P: '10.0.0.0/40', D: '5 minutes' }, (r) => ({
        a: r.string('A'), n: r.integer('N', { max: 65535 }), b: r.boolean('B'), h: r.address('H'), p: r.prefixes('P'), d: r.duration('D'),
      }));
    expect(read).toThrow(/A is not set.*\n.*N is "70000".*\n.*B is "maybe".*\n.*H is "nohost".*\n.*P: "10.0.0.0\/40".*\n.*D is "5 minutes"/);
  });
});
