import { lagOf } from './progress-monitor';

describe('lagOf', () => {
  const node = (name: string, revision: bigint, exceptions = 0) => ({
    node: name,
    revision,
    reportedAtMs: 0n,
    madeRevision: 0n,
    movedRevision: 0n,
    exceptions: Array.from({ length: exceptions }, () => ({ type: 'virtual-machine', uuid: '', reason: 'full' })),
  });

  it.each([
    ['up to date', node('a', 10n), { node: 'a', revisions: 0, exceptions: 0 }],
    ['behind', node('a', 3n), { node: 'a', revisions: 7, exceptions: 0 }],
    ['ahead, because the store lost writes', node('a', 12n), { node: 'a', revisions: 0, exceptions: 0 }],
    ['with objects that it could not program', node('a', 10n, 2), { node: 'a', revisions: 0, exceptions: 2 }],
  ])('%s', (_rule, progress, expected) => {
    expect(lagOf({ nodes: [progress], revision: 10n })).toEqual([expected]);
  });
});
