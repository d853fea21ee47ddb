import type { Answer } from './wire/json';
import { allRestTypes } from './wire/rest-types';

/** Actions by the names under which clients look them up. */
const actions: readonly (readonly [name: string, path: string, method: string])[] = [
  ['prop-collection-get', '/prop-collection-get', 'GET'],
  ['prop-collection-update', '/prop-collection-update', 'POST'],
  ['ref-update', '/ref-update', 'POST'],
  ['ref-relax-for-delete', '/ref-relax-for-delete', 'POST'],
  ['name-to-id', '/fqname-to-id', 'POST'],
  ['id-to-name', '/id-to-fqname', 'POST'],
  ['useragent-keyvalue', '/useragent-kv', 'POST'],
  ['list-bulk-collection', '/list-bulk-collection', 'POST'],
  ['obj-perms', '/obj-perms', 'GET'],
  ['chown', '/chown', 'POST'],
  ['chmod', '/chmod', 'POST'],
  ['aaa-mode', '/aaa-mode', 'PUT'],
  ['set-tag', '/set-tag', 'POST'],
  ['security-policy-draft', '/security-policy-draft', 'POST'],
  // Clients put the uuid in place of %s.
  ['virtual-network-ip-alloc', '/virtual-network/%s/ip-alloc', 'POST'],
  ['virtual-network-ip-free', '/virtual-network/%s/ip-free', 'POST'],
  ['virtual-network-subnet-ip-count', '/virtual-network/%s/subnet-ip-count', 'POST'],
];

/** `GET /`: where everything is. @param root has no slash at its end; clients remove it from each link. */
export function discovery(root: string): Answer {
  const link = (rel: string, name: string, path: string, method: string | null = null): Answer => ({
    link: { href: `${root}${path}`, rel, name, method },
  });
  return {
    href: root,
    links: [
      link('documentation', 'documentation', '/openapi.json'),
      link('root', 'config-root', '/config-root'),
      ...allRestTypes().flatMap(({ name, plural }) => [
        link('collection', name, `/${plural}`),
        link('resource-base', name, `/${name}`),
      ]),
      ...actions.map(([name, path, method]) => link('action', name, path, method)),
    ],
  };
}
