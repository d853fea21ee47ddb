import { interleave } from './interleave';

test('every subject has one turn a round', () => {
  const turns = interleave(['a', 'b', 'c'], 4);
  for (let round = 0; round < 4; round += 1) {
    const subjects = turns.filter((turn) => turn.round === round).map(({ subject }) => subject);
    expect([...subjects].sort()).toEqual(['a', 'b', 'c']);
  }
});

test('each subject comes first equally often', () => {
  const first = [0, 3, 6].map((index) => interleave(['a', 'b', 'c'], 3)[index]?.subject);
  expect(first).toEqual(['a', 'b', 'c']);
});

test('nothing to measure is no turn', () => {
  expect(interleave([], 3)).toEqual([]);
});
