import { toResource, metaOf } from '@contrail/resource-model';
import { appliedIsolation, isolationAnnotations, wantedIsolation } from './isolation';
import type { Isolation } from './isolation';
import type { KubeNamespace } from './kube-objects';

function namespace(isolation: string | undefined, serviceIsolation?: string, name = 'blue'): KubeNamespace {
  return { name, uid: 'u', isolation, serviceIsolation, isolationStatus: undefined, network: undefined };
}

const asked: readonly [KubeNamespace, Isolation | undefined, Isolation, readonly string[]][] = [
  [namespace(undefined), undefined, 'none', []],
  [namespace(undefined), 'full', 'none', []],
  [namespace('true'), undefined, 'full', []],
  [namespace(' TRUE '), 'none', 'full', []],
  [namespace('false'), 'full', 'none', []],
  [namespace('False'), undefined, 'none', []],
  [namespace('true', 'false'), 'full', 'pods', []],
  [namespace('true', 'FALSE'), undefined, 'pods', []],
  [namespace('true', 'true'), 'pods', 'full', []],
  [namespace(undefined, 'false'), undefined, 'none', []],
  [namespace('yes'), undefined, 'full', ['MalformedAnnotation']],
  [namespace('yes'), 'none', 'none', ['MalformedAnnotation']],
  [namespace('yes'), 'full', 'full', ['MalformedAnnotation']],
  [namespace(''), 'full', 'full', ['MalformedAnnotation']],
  [namespace('yes', 'no'), 'pods', 'pods', ['MalformedAnnotation', 'MalformedAnnotation']],
  [namespace('true', 'no'), 'pods', 'pods', ['MalformedAnnotation']],
  [namespace('true', 'no'), undefined, 'full', ['MalformedAnnotation']],
  [namespace('true', undefined, 'default'), 'none', 'none', ['IsolationRefused']],
  [namespace('true', undefined, 'kube-system'), undefined, 'none', ['IsolationRefused']],
  [namespace('yes', undefined, 'default'), undefined, 'none', ['IsolationRefused']],
  [namespace('false', undefined, 'default'), undefined, 'none', []],
];

it.each(asked)('%j, which was %s, becomes %s', (object, applied, isolation, reasons) => {
  const wanted = wantedIsolation(object, applied);
  expect(wanted.isolation).toBe(isolation);
  expect(wanted.complaints.map(({ reason }) => reason)).toEqual(reasons);
});

it('names object, key, value, expectation and consequence of a malformed annotation', () => {
  const [complaint] = wantedIsolation(namespace('yes'), 'none').complaints;
  expect(complaint?.note).toBe(
    'Namespace/blue metadata.annotations["opencontrail.org/isolation"]: is "yes", but expected is "true" or "false"; write one of them; until then it stays not isolated',
  );
  expect(complaint?.subject).toEqual({ apiVersion: 'v1', kind: 'Namespace', namespace: '', name: 'blue', uid: 'u' });
});

it('reads back what it wrote, and takes a security group without it for that of a namespace that is not isolated', () => {
  for (const isolation of ['none', 'pods', 'full'] as const) {
    expect(appliedIsolation({ annotations: isolationAnnotations(isolation) })).toBe(isolation);
  }
  const group = toResource('security-group', { meta: { fqName: ['default-domain', 'p', 'g'] } });
  expect(appliedIsolation(metaOf(group))).toBe('none');
});
