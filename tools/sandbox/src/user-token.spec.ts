import { tokenObjects } from './user-token';

describe('tokenObjects', () => {
  it('gives a role in one namespace only', () => {
    expect(tokenObjects({ role: 'member', namespace: 'blue' })).toEqual([
      { apiVersion: 'v1', kind: 'ServiceAccount', metadata: { name: 'member-blue', namespace: 'contrail' } },
      {
        apiVersion: 'rbac.authorization.k8s.io/v1',
        kind: 'RoleBinding',
        metadata: { name: 'contrail-token-member-blue', namespace: 'blue' },
        roleRef: {
          apiGroup: 'rbac.authorization.k8s.io',
          kind: 'ClusterRole',
          name: 'contrail-project-member',
        },
        subjects: [{ kind: 'ServiceAccount', name: 'member-blue', namespace: 'contrail' }],
      },
    ]);
  });

  it('gives a role in the cluster without a namespace', () => {
    expect(tokenObjects({ role: 'admin', namespace: undefined })[1]).toMatchObject({
      kind: 'ClusterRoleBinding',
      roleRef: { name: 'contrail-administrator' },
    });
  });
});
