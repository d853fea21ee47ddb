import {
  GetResponse,
  ListResponse,
  TransactResponse,
  WatchResponse,
} from '@contrail/proto-gen/config/v1/messages';
import { encodeResource, metaOf, setMeta, toResource } from '@contrail/resource-model';
import type { Resource } from '@contrail/proto-gen/config/v1/resources';
import { StoredObject } from '@contrail/store';
import {
  changesResponse,
  listResponse,
  resourceResponse,
  snapshotResponse,
  transactResponse,
} from './encoded-responses';

const uuid = '11111111-1111-4111-8111-111111111111';

function project(name: string): Resource {
  return toResource('project', { meta: { uuid, fqName: ['default-domain', name] } });
}

function stored(name: string, revision: bigint): StoredObject {
  return new StoredObject('project', revision, Buffer.from(encodeResource(project(name))));
}

function at(name: string, revision: bigint): Resource {
  return setMeta(project(name), { ...metaOf(project(name)), revision });
}

/** Names that make the lengths of messages one, two and three bytes long. */
const names = ['blue', 'x'.repeat(200), 'y'.repeat(20_000)];

it('one object', () => {
  for (const name of names)
    expect(GetResponse.decode(resourceResponse(stored(name, 300n).encoded).bytes)).toEqual({
      resource: at(name, 300n),
    });
});

it('a page of objects, and the empty page', () => {
  const page = listResponse(names.map((name) => stored(name, 7n)), 'next');
  expect(ListResponse.decode(page.bytes)).toEqual({
    resources: names.map((name) => at(name, 7n)),
    nextPageToken: 'next',
  });
  expect(ListResponse.decode(listResponse([], '').bytes)).toEqual({
    resources: [],
    nextPageToken: '',
  });
});

it('the results of a transaction, those of deletions without object', () => {
  const response = transactResponse(2n ** 40n, [
    { resource: stored('blue', 5n).encoded, changed: true },
    { resource: stored('red', 3n).encoded, changed: false },
    { resource: undefined, changed: true },
  ]);
  expect(TransactResponse.decode(response.bytes)).toEqual({
    revision: 2n ** 40n,
    results: [
      { resource: at('blue', 5n), changed: true },
      { resource: at('red', 3n), changed: false },
      { resource: undefined, changed: true },
    ],
  });
});

it('a part of a snapshot', () => {
  expect(WatchResponse.decode(snapshotResponse([stored('blue', 5n), stored('red', 6n)]))).toEqual({
    kind: { $case: 'snapshot', value: { resources: [at('blue', 5n), at('red', 6n)] } },
  });
});

it('changes with their traces, deletions without object, and no changes', () => {
  const put = { revision: 8n, type: 'project', uuid, object: stored('blue', 8n), traceparent: '' } as const;
  const deletion = { ...put, revision: 9n, object: undefined, traceparent: '00-ab-cd-01' };
  const position = { epoch: 'e', revision: 9n };
  const kind = 'changes';
  expect(WatchResponse.decode(changesResponse({ kind, changes: [put, deletion], position }))).toEqual({
    kind: {
      $case: 'changes',
      value: {
        changes: [
          { revision: 8n, type: 'project', uuid, resource: at('blue', 8n), traceparent: '' },
          { revision: 9n, type: 'project', uuid, resource: undefined, traceparent: '00-ab-cd-01' },
        ],
        token: position,
      },
    },
  });
  expect(WatchResponse.decode(changesResponse({ kind, changes: [], position }))).toEqual({
    kind: { $case: 'changes', value: { changes: [], token: position } },
  });
});
