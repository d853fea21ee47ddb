import type { Meta } from '@contrail/proto-gen/config/v1/resources';
import type { Cluster } from './cluster';

/** Kinds of Kubernetes objects from which everything else derives. */
export const rootKinds = ['Cluster', 'Namespace', 'Node', 'Pod', 'Service', 'NetworkAttachmentDefinition'] as const;
export type RootKind = (typeof rootKinds)[number];

/** As events name it. */
export function apiVersionOf(kind: RootKind): string {
  return kind === 'NetworkAttachmentDefinition' ? 'k8s.cni.cncf.io/v1' : 'v1';
}

/** A root object: the unit of translation, of reconciliation and of removal. */
export interface Root {
  readonly kind: RootKind;
  /** Empty for kinds without namespace. */
  readonly namespace: string;
  readonly name: string;
}

/** `Pod/blue/web-1`, `Node//node1`: the key of a root in queues, indexes and logs. */
export function rootKey({ kind, namespace, name }: Root): string {
  return `${kind}/${namespace}/${name}`;
}

export function parseRootKey(key: string): Root | undefined {
  const [kind, namespace, name, ...rest] = key.split('/');
  const known = rootKinds.find((candidate) => candidate === kind);
  if (known === undefined || namespace === undefined || name === undefined || rest.length > 0) return undefined;
  return { kind: known, namespace, name };
}

/**
 * Annotations that every object of ours has: R21's (`owner`, `cluster`, `kind`, `namespace`, `name`, `k8s_uuid`,
 * `project`), and `cluster_uid`, which decides whose an object is.
 */
export function ownerAnnotations(
  cluster: Cluster,
  root: Root & { readonly uid: string },
  project: string,
): Record<string, string> {
  return {
    owner: cluster.owner,
    cluster: cluster.name,
    cluster_uid: cluster.uid,
    kind: root.kind,
    name: root.name,
    k8s_uuid: root.uid,
    ...(project === '' ? {} : { project }),
    ...(root.namespace === '' ? {} : { namespace: root.namespace }),
  };
}

/** The root of an object; undefined when this cluster has not made it. */
export function rootOf(clusterUid: string, meta: Meta): Root | undefined {
  const { annotations } = meta;
  if (annotations['cluster_uid'] !== clusterUid) return undefined;
  const kind = rootKinds.find((candidate) => candidate === annotations['kind']);
  const name = annotations['name'];
  if (kind === undefined || name === undefined) return undefined;
  // The project of a namespace names the namespace in whose roles its users are; it is no part of the root.
  const isNamespaced = kind === 'Pod' || kind === 'Service' || kind === 'NetworkAttachmentDefinition';
  return { kind, namespace: isNamespaced ? (annotations['namespace'] ?? '') : '', name };
}
