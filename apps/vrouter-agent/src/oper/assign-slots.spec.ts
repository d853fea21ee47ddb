import fc from 'fast-check';
import { assignSlots } from './assign-slots';

function shares(slots: readonly string[]): number[] {
  const counts = new Map<string, number>();
  for (const member of slots) counts.set(member, (counts.get(member) ?? 0) + 1);
  return [...counts.values()];
}

describe('assignSlots', () => {
  it('has no slots without members', () => {
    expect(assignSlots(['a', 'b'], [])).toEqual([]);
  });

  it('gives a single member one slot', () => {
    expect(assignSlots([], ['a'])).toEqual(['a']);
  });

  it('spreads three members over sixteen slots', () => {
    const slots = assignSlots([], ['a', 'b', 'c']);
    expect(slots).toHaveLength(16);
    expect(shares(slots).sort()).toEqual([5, 5, 6]);
  });

  it('keeps every slot of the members that stay when one leaves', () => {
    const before = assignSlots([], ['a', 'b', 'c']);
    const after = assignSlots(before, ['a', 'c']);
    expect(after).toHaveLength(16);
    for (const [slot, member] of before.entries()) {
      if (member !== 'b') expect(after[slot]).toBe(member);
    }
  });

  it('changes only the slots that a new member takes', () => {
    const before = assignSlots([], ['a', 'b', 'c']);
    const after = assignSlots(before, ['a', 'b', 'c', 'd']);
    const changed = before.filter((member, slot) => after[slot] !== member);
    expect(changed).toHaveLength(4);
  });

  it('is full and fair after any sequence of memberships', () => {
    const members = fc.uniqueArray(fc.integer({ min: 0, max: 40 }).map((n) => `m${n}`), { maxLength: 40 });
    fc.assert(
      fc.property(fc.array(members, { maxLength: 8 }), (steps) => {
        let slots: string[] = [];
        for (const step of steps) {
          slots = assignSlots(slots, [...step].sort());
          expect(new Set(slots)).toEqual(new Set(step));
          if (step.length > 0) expect(Math.max(...shares(slots)) - Math.min(...shares(slots))).toBeLessThanOrEqual(1);
        }
      }),
    );
  });
});
