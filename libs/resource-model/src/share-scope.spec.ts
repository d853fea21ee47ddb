import { shareScope } from './share-scope';

const uuid = '1b9d6bcd-bbfd-4b2d-9b5d-ab8dfbbd4bed';

it.each([
  [uuid, 'project', uuid],
  [uuid.replaceAll('-', ''), 'project', uuid],
  [`tenant:${uuid}`, 'project', uuid],
  [`project:${uuid.toUpperCase()}`, 'project', uuid],
  [`domain:${uuid}`, 'domain', uuid],
  [`domain:${uuid.replaceAll('-', '')}`, 'domain', uuid],
  ['domain:default-domain', 'domain', 'default-domain'],
  ['', 'project', ''],
])('%s names the %s %s', (tenant, kind, named) => {
  expect(shareScope(tenant)).toEqual({ kind, uuid: named });
});
