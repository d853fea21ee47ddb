import { toResource, wellKnownUuid } from '@contrail/resource-model';
import type { Operation } from '@contrail/proto-gen/config/v1/messages';
import { auditService, auditUser } from './audit-changes';
import { audit, auditDerived, isDerivedWritten } from './audit';

jest.mock('./audit');

const network = (name: string): ReturnType<typeof toResource> => {
  const fqName = ['d', 'p', name];
  return toResource('virtual-network', { meta: { uuid: wellKnownUuid('virtual-network', fqName), fqName } });
};
const upsert = (name: string): Operation => ({ kind: { $case: 'upsert', value: { resource: network(name) } } });
const gone = network('gone');
const removal: Operation = {
  kind: {
    $case: 'delete',
    value: { key: { uuid: gone.kind?.value.meta?.uuid ?? '', type: '', fqName: [] }, expectedRevision: 0n },
  },
};
const operations = [upsert('new'), upsert('equal'), removal];
const outcome = {
  revision: 1n,
  deleted: [gone],
  outcomes: [true, false, true].map((changed) => ({ resource: undefined, object: undefined, changed })),
};
const lines = (user: string): unknown[][] => [
  [{ user, verb: 'upsert', objects: ['VirtualNetwork/d:p:new'], result: 'done' }],
  [{ user, verb: 'delete', objects: ['VirtualNetwork/d:p:gone'], result: 'done' }],
];

beforeEach(() => jest.clearAllMocks());

it('names what a user changed, and leaves out what was equal', () => {
  auditUser('ann', operations, outcome);
  expect(jest.mocked(audit).mock.calls).toEqual(lines('ann'));
});

it('tells services that people use from those that follow Kubernetes', () => {
  jest.mocked(isDerivedWritten).mockReturnValue(true);
  auditService('contrailctl', operations, outcome);
  auditService('kube-manager', operations, outcome);
  expect(jest.mocked(audit).mock.calls).toEqual(lines('service:contrailctl'));
  expect(jest.mocked(auditDerived).mock.calls).toEqual(lines('service:kube-manager'));
});
