import { uuidV5 } from '@contrail/net';
import type { ResourceType } from './resource';

/** Namespace of the objects that every deployment has. */
const contrailNamespace = '9f2a8c1e-5d0b-4b57-8a6e-3c1d7e4f0b21';

/**
 * Identity of an object that stands for a Kubernetes object. A retry gets the same uuid, two clusters
 * never collide, and a re-created Kubernetes object (new uid) inherits nothing.
 *
 * @param clusterUid uid of the namespace kube-system.
 * @param kind what is derived: the resource type, with a role where one object has several (`instance-ip/service`).
 * @param index tells equal derivations of one Kubernetes object apart: interface number, port name.
 */
export function derivedUuid(
  clusterUid: string,
  kind: string,
  kubernetesUid: string,
  index: number | string = 0,
): string {
  return uuidV5(clusterUid, `${kind}/${kubernetesUid}/${index}`);
}

/** Fixed identity of an object that config-api makes by name, the same in every deployment. */
export function wellKnownUuid(type: ResourceType, fqName: readonly string[]): string {
  return uuidV5(contrailNamespace, `${type}/${fqName.join(':')}`);
}

/** Identity of an object that another one implies (default RoutingInstance, subnet). */
export function impliedUuid(ownerUuid: string, role: string): string {
  return uuidV5(ownerUuid, role);
}
