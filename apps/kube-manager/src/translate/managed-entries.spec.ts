import { managedPolicies, managedPoliciesOf, managedRules, managedRulesOf, mergeManaged } from './managed-entries';

interface Entry {
  readonly id: string;
  readonly text: string;
}

const of = (id: string, text = ''): Entry => ({ id, text });
const merge = (found: Entry[], wanted: Entry[], managed: string[], renew = true): Entry[] =>
  mergeManaged({ found, wanted }, { idOf: ({ id }) => id, managed: new Set(managed), renew });

it.each([
  ['adds what is wanted', [], [of('a')], [], [of('a')]],
  ['keeps entries of others in their places', [of('x'), of('a'), of('y')], [of('a')], ['a'], [of('x'), of('a'), of('y')]],
  ['removes what it made and wants no more', [of('a'), of('x'), of('b')], [of('b')], ['a', 'b'], [of('x'), of('b')]],
  ['keeps what it never made', [of('a')], [], [], [of('a')]],
  ['keeps entries without identity', [of('', 'one'), of('', 'two')], [of('a')], [''], [of('', 'one'), of('', 'two'), of('a')]],
  ['drops a second copy of its own', [of('a'), of('a')], [of('a')], ['a'], [of('a')]],
] as const)('%s', (_name, found, wanted, managed, want) => {
  expect(merge([...found], [...wanted], [...managed])).toEqual(want);
});

it('writes its entries anew, or leaves them as somebody changed them', () => {
  expect(merge([of('a', 'changed')], [of('a', 'ours')], ['a'])).toEqual([of('a', 'ours')]);
  expect(merge([of('a', 'changed')], [of('a', 'ours')], ['a'], false)).toEqual([of('a', 'changed')]);
});

it('reads back its notes', () => {
  expect(managedRulesOf({ annotations: managedRules(['b', 'a']) })).toEqual(new Set(['a', 'b']));
  expect(managedPoliciesOf({ annotations: managedPolicies(['b', 'a']) })).toEqual(new Set(['a', 'b']));
});
