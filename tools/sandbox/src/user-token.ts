import { applyObjects, kubectl } from './control-plane';
import { ensureGroups } from './go-build';
import { run } from './run';
import type { Sandbox } from './sandbox';

export const roles = ['admin', 'member', 'viewer'] as const;
export type Role = (typeof roles)[number];

/** Cluster roles of k8s/base/roles.yaml. */
const clusterRoles: Readonly<Record<Role, string>> = {
  admin: 'contrail-administrator',
  member: 'contrail-project-member',
  viewer: 'contrail-viewer',
};
const accountNamespace = 'contrail';
const lifetime = '24h';
/** config-api accepts tokens that were made for it; the API server refuses them. */
const audience = 'contrail';

/** Who gets which rights where; without namespace in the whole cluster. */
export interface TokenRequest {
  readonly role: Role;
  readonly namespace: string | undefined;
}

/** Prints a token for the REST API of a user with one role. */
export async function printToken(sandbox: Sandbox, request: TokenRequest): Promise<number> {
  const { kubernetes } = await ensureGroups(sandbox.settings, ['kubernetes']);
  await applyObjects(sandbox, kubernetes, tokenObjects(request));
  const words = ['create', 'token', accountName(request), '--namespace', accountNamespace];
  const options = ['--audience', audience, '--duration', lifetime];
  const token = await run(...kubectl(sandbox, kubernetes, [...words, ...options]));
  process.stdout.write(`${token.trim()}\n`);
  return 0;
}

function accountName({ role, namespace }: TokenRequest): string {
  return namespace === undefined ? role : `${role}-${namespace}`;
}

/** The user and his role: in one namespace, or in the cluster. */
export function tokenObjects(request: TokenRequest): object[] {
  const { role, namespace } = request;
  const name = accountName(request);
  const binding = {
    apiVersion: 'rbac.authorization.k8s.io/v1',
    roleRef: { apiGroup: 'rbac.authorization.k8s.io', kind: 'ClusterRole', name: clusterRoles[role] },
    subjects: [{ kind: 'ServiceAccount', name, namespace: accountNamespace }],
  };
  return [
    { apiVersion: 'v1', kind: 'ServiceAccount', metadata: { name, namespace: accountNamespace } },
    namespace === undefined
      ? { ...binding, kind: 'ClusterRoleBinding', metadata: { name: `contrail-token-${name}` } }
      : { ...binding, kind: 'RoleBinding', metadata: { name: `contrail-token-${name}`, namespace } },
  ];
}
