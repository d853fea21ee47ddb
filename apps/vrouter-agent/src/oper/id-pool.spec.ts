import { IdPool } from './id-pool';

describe('IdPool', () => {
  it('gives equal texts the same number, whoever asks', () => {
    const pool = new IdPool();
    expect(pool.acquire('route/1', 'hop')).toBe(pool.acquire('route/2', 'hop'));
    expect(pool.acquire('route/1', 'other')).not.toBe(pool.acquire('route/1', 'hop'));
  });

  it('keeps a number until its last owner releases it', () => {
    const pool = new IdPool();
    const id = pool.acquire('a', 'hop');
    pool.acquire('b', 'hop');
    pool.release('a', 'hop');
    expect(pool.acquire('c', 'hop')).toBe(id);
  });

  it('does not reuse a freed number at once', () => {
    const pool = new IdPool();
    const freed = pool.acquire('a', 'hop');
    pool.release('a', 'hop');
    for (let n = 0; n < 1000; n += 1) expect(pool.acquire('a', `hop-${n}`)).not.toBe(freed);
  });

  it('keeps adopted numbers and frees those that nobody asks for', () => {
    const pool = new IdPool();
    pool.adopt('kept', 7);
    pool.adopt('gone', 9);
    expect(pool.acquire('a', 'kept')).toBe(7);
    expect(pool.releaseUnowned()).toEqual(['gone']);
    expect(pool.acquire('a', 'new')).toBe(10);
  });

  it('reuses the oldest freed number when all others are in use', () => {
    const pool = new IdPool(2);
    pool.acquire('a', 'one');
    pool.acquire('a', 'two');
    pool.release('a', 'one');
    expect(pool.acquire('a', 'three')).toBe(1);
    expect(() => pool.acquire('a', 'four')).toThrow('all 2 numbers are in use');
  });
});
