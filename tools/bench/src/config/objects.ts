/** Objects as kube-manager makes them for pods. */
import { randomUUID } from 'node:crypto';
import type { Operation } from '@contrail/proto-gen/config/v1/messages';
import type { Resource } from '@contrail/proto-gen/config/v1/resources';
import { toResource, wellKnownUuid } from '@contrail/resource-model';

const projectName = ['default-domain', 'bench'];
export const projectUuid = wellKnownUuid('project', projectName);
const networkName = [...projectName, 'pods'];
export const networkUuid = wellKnownUuid('virtual-network', networkName);
export const interfaceType = 'virtual-machine-interface';

/** Project, IPAM of the prefix, and network: what interfaces and addresses need. */
export function baseResources(prefix: string, length: number): Resource[] {
  const ipamName = [...projectName, 'pod-ipam'];
  const ipamUuid = wellKnownUuid('network-ipam', ipamName);
  return [
    toResource('project', { meta: { uuid: projectUuid, fqName: projectName } }),
    toResource('network-ipam', {
      meta: { uuid: ipamUuid, fqName: ipamName },
      ipamSubnetMethod: 'flat-subnet',
      ipamSubnets: { subnets: [{ subnet: { ipPrefix: prefix, ipPrefixLen: length } }] },
    }),
    toResource('virtual-network', {
      meta: { uuid: networkUuid, fqName: networkName },
      networkIpamRefs: [{ uuid: ipamUuid, attr: {} }],
    }),
  ];
}

/** A pod's interface, with labels' worth of annotations. */
export function interfaceResource(uuid: string = randomUUID(), displayName = uuid): Resource {
  return toResource(interfaceType, {
    meta: {
      uuid,
      fqName: [...projectName, uuid],
      parentType: 'project',
      parentUuid: projectUuid,
      displayName,
      annotations: { cluster: 'k8s', kind: 'Pod', namespace: 'default', name: `web-${uuid.slice(0, 8)}`, owner: 'k8s' },
    },
    virtualMachineInterfaceMacAddresses: { macAddress: ['02:00:00:00:00:01'] },
    virtualNetworkRefs: [{ uuid: networkUuid }],
  });
}

/** The same over REST. */
export function restInterface(name: string): unknown {
  return {
    [interfaceType]: {
      fq_name: [...projectName, name],
      parent_type: 'project',
      virtual_machine_interface_mac_addresses: { mac_address: ['02:00:00:00:00:01'] },
      virtual_network_refs: [{ to: networkName }],
    },
  };
}

export const createOf = (resource: Resource): Operation => ({ kind: { $case: 'create', value: { resource } } });
export const upsertOf = (resource: Resource): Operation => ({ kind: { $case: 'upsert', value: { resource } } });
