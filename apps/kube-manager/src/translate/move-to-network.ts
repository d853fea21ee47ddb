import type { Resource } from '@contrail/proto-gen/config/v1/resources';
import { metaOf, setMeta, typeOf, withFields } from '@contrail/resource-model';
import { reference } from './cluster';
import type { ObjectReference } from './cluster';
import { isolationAnnotations } from './isolation';
import type { Isolation } from './isolation';

/** Annotation of the objects of a pod that is on a custom network, and stays there: the name of the network. */
export const customNetworkKey = 'custom_network';

/**
 * An interface, or an address of it, on another network; everything else of it stays, the address too.
 *
 * @returns undefined when nothing has to change: it is there already, is on a custom network, or lives on no network.
 */
export function moveToNetwork(resource: Resource, network: ObjectReference): Resource | undefined {
  const type = typeOf(resource);
  if (type !== 'virtual-machine-interface' && type !== 'instance-ip') return undefined;
  if (metaOf(resource).annotations[customNetworkKey] !== undefined) return undefined;
  const moved = withFields(resource, { virtualNetworkRefs: [reference(network)] });
  return networkOf(resource) === network.uuid ? undefined : moved;
}

/** Uuid of the network of an interface or an address. */
export function networkOf({ kind }: Resource): string | undefined {
  if (kind?.$case !== 'virtualMachineInterface' && kind?.$case !== 'instanceIp') return undefined;
  return kind.value.virtualNetworkRefs[0]?.uuid;
}

/** The default security group of a namespace, saying what its pods and services live by from now on. */
export function setIsolation(securityGroup: Resource, isolation: Isolation): Resource {
  const meta = metaOf(securityGroup);
  return setMeta(securityGroup, { ...meta, annotations: { ...meta.annotations, ...isolationAnnotations(isolation) } });
}
