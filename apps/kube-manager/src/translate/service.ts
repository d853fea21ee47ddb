import { formatAddress, tryParseAddress } from '@contrail/net';
import type { DeepPartial, Resource, ServiceTraffic } from '@contrail/proto-gen/config/v1/resources';
import {
  derivedUuid,
  globalSystemConfigName,
  listenerName,
  loadbalancerInstanceIpName,
  loadbalancerInterfaceName,
  loadbalancerName,
  toResource,
  wellKnownUuid,
} from '@contrail/resource-model';
import { reference } from './cluster';
import type { Cluster, IpFamily, ObjectReference } from './cluster';
import type { Complaint } from './complaint';
import { complainRefused, mergeEndpointSlices } from './endpoints';
import type { Backend, Backends } from './endpoints';
import type { KubeEndpointSlice, KubeService, KubeServicePort } from './kube-objects';
import { ownerAnnotations } from './ownership';
import type { AllocatedAddress } from './pod';

/** Device owner of the interface that carries a service's address (R21). */
const loadbalancerDeviceOwner = 'K8S:LOADBALANCER';
const nativeProvider = 'native';

/** What the objects of a service are attached to. */
export interface ServiceSurroundings {
  readonly project: ObjectReference;
  readonly network: ObjectReference;
  readonly securityGroup: ObjectReference;
  /** Cluster IPs as recorded in ipam. */
  readonly addresses: readonly AllocatedAddress[];
  /** The interface that has this address, when the pod is one of ours. */
  /** Why a backend gets no traffic; undefined: it gets its share. */
  readonly refusalOf: (address: string) => string | undefined;
  readonly findInterface: (podUid: string, address: string) => { readonly vm: string; readonly vmi: string } | undefined;
}

export interface ServiceTranslation {
  readonly resources: Resource[];
  readonly complaints: readonly Complaint[];
}

/** Whether the service gets a load balancer: it has a cluster IP and is not served by another proxy. */
export function hasLoadbalancer(service: KubeService): boolean {
  return service.type !== 'ExternalName' && service.clusterIps.length > 0 && !service.foreignProxy;
}

/**
 * A Service: native (ECMP) Loadbalancer, its interface and an InstanceIp for each cluster IP, a listener and a
 * pool for each port, and a member for each endpoint of the port, ready or not: its conditions say which.
 *
 * @param slices every EndpointSlice of this Service, in any order; not modified.
 * @returns resources in dependency order.
 */
export function translateService(
  cluster: Cluster,
  service: KubeService,
  slices: readonly KubeEndpointSlice[],
  around: ServiceSurroundings,
): ServiceTranslation {
  const root = { kind: 'Service', namespace: service.namespace, name: service.name, uid: service.uid } as const;
  const annotations = ownerAnnotations(cluster, root, around.project.fqName.at(-1) ?? '');
  const base: Base = { cluster, service, around, annotations };
  const { backendsOf, complaints } = mergeEndpointSlices(slices, cluster.serviceSubnets);
  const ports = service.ports.flatMap((port) => translatePort(base, port, backendsOf(port)));
  return { resources: [...translateFrontend(base), ...ports], complaints: [...complaints, ...refusals(base, backendsOf)] };
}

/** One complaint for each address, whatever ports it has. */
function refusals({ service, around }: Base, backendsOf: Backends['backendsOf']): Complaint[] {
  const byAddress = new Map<string, Complaint>();
  for (const backend of service.ports.flatMap(backendsOf)) {
    const cause = around.refusalOf(backend.address);
    if (cause !== undefined) byAddress.set(backend.address, complainRefused(backend, cause));
  }
  return [...byAddress.values()];
}

interface Base {
  readonly cluster: Cluster;
  readonly service: KubeService;
  readonly around: ServiceSurroundings;
  readonly annotations: Record<string, string>;
}

/** Interface, addresses and load balancer. */
function translateFrontend({ cluster, service, around, annotations }: Base): Resource[] {
  const { project, network, securityGroup, addresses } = around;
  const parent = { parentType: 'project', parentUuid: project.uuid, annotations };
  const vmi = {
    uuid: derivedUuid(cluster.uid, 'virtual-machine-interface/service', service.uid),
    fqName: [...project.fqName, loadbalancerInterfaceName(cluster.name, 'Service', service)],
  };
  const instanceIps = addresses.map(({ address, subnetUuid }) => {
    const family = address.length === 4 ? 4 : 6;
    const uuid = serviceInstanceIpUuid(cluster, service.uid, family);
    return toResource('instance-ip', {
      meta: { uuid, fqName: [loadbalancerInstanceIpName(service.name, uuid)], annotations },
      instanceIpAddress: formatAddress(address),
      instanceIpFamily: family === 4 ? 'v4' : 'v6',
      subnetUuid,
      virtualNetworkRefs: [reference(network)],
      virtualMachineInterfaceRefs: [vmi],
    });
  });
  const [primary] = addresses;
  return [
    toResource('virtual-machine-interface', {
      meta: { ...vmi, ...parent },
      virtualMachineInterfaceDeviceOwner: loadbalancerDeviceOwner,
      portSecurityEnabled: true,
      virtualNetworkRefs: [reference(network)],
      securityGroupRefs: [reference(securityGroup)],
    }),
    ...instanceIps,
    toResource('loadbalancer', {
      meta: { ...loadbalancerOf(service, project), ...parent },
      loadbalancerProvider: nativeProvider,
      loadbalancerProperties: {
        status: 'ACTIVE',
        provisioningStatus: 'ACTIVE',
        operatingStatus: 'ONLINE',
        vipAddress: primary === undefined ? '' : formatAddress(primary.address),
        vipSubnetId: primary?.subnetUuid ?? '',
        adminState: true,
      },
      serviceTraffic: toServiceTraffic(cluster, service),
      serviceApplianceSetRefs: [nativeApplianceSet()],
      virtualMachineInterfaceRefs: [vmi],
    }),
  ];
}

/** Listener, pool and members of one port. */
function translatePort(base: Base, port: KubeServicePort, backends: readonly Backend[]): Resource[] {
  const { cluster, service, around, annotations } = base;
  const { project } = around;
  const loadbalancer = loadbalancerOf(service, project);
  const listenerUuid = listenerUuidOf(cluster, service, port);
  const poolUuid = derivedUuid(cluster.uid, 'loadbalancer-pool', service.uid, portKey(port));
  const childName = (uuid: string): string[] => [
    ...project.fqName,
    listenerName(loadbalancer.fqName.at(-1) ?? '', port, uuid),
  ];
  const parent = { parentType: 'project', parentUuid: project.uuid, annotations: { ...annotations, portName: port.name } };
  const listener = { uuid: listenerUuid, fqName: childName(listenerUuid) };
  const pool = { uuid: poolUuid, fqName: childName(poolUuid) };
  return [
    toResource('loadbalancer-listener', {
      meta: { ...listener, ...parent },
      loadbalancerListenerProperties: { protocol: port.protocol, protocolPort: port.port, adminState: true },
      loadbalancerRefs: [loadbalancer],
    }),
    toResource('loadbalancer-pool', {
      meta: { ...pool, ...parent },
      loadbalancerPoolProperties: { protocol: port.protocol, loadbalancerMethod: 'ROUND_ROBIN', adminState: true },
      loadbalancerPoolProvider: nativeProvider,
      serviceApplianceSetRefs: [nativeApplianceSet()],
      loadbalancerListenerRefs: [listener],
    }),
    ...backends.map((backend) => translateMember(base, { port, pool }, backend)),
  ];
}

function translateMember(
  { cluster, service, around, annotations }: Base,
  { port, pool }: { readonly port: KubeServicePort; readonly pool: ObjectReference },
  { address, port: targetPort, endpoint }: Backend,
): Resource {
  const uuid = derivedUuid(cluster.uid, 'loadbalancer-member', service.uid, `${portKey(port)}/${address}/${targetPort}`);
  const refused = around.refusalOf(address);
  const owner = endpoint.podUid === '' ? undefined : around.findInterface(endpoint.podUid, address);
  return toResource('loadbalancer-member', {
    meta: {
      uuid,
      fqName: [...pool.fqName, uuid],
      parentType: 'loadbalancer-pool',
      parentUuid: pool.uuid,
      annotations: { ...annotations, ...(owner ?? {}), ...(refused === undefined ? {} : { refused }) },
    },
    loadbalancerMemberProperties: { address, protocolPort: targetPort, adminState: true },
    endpointConditions: {
      ready: endpoint.ready,
      serving: endpoint.serving,
      terminating: endpoint.terminating,
      nodeName: endpoint.nodeName,
      zone: endpoint.zone,
      hintZones: [...endpoint.hintZones],
      hintNodes: [...endpoint.hintNodes],
    },
  });
}

function toServiceTraffic(cluster: Cluster, service: KubeService): DeepPartial<ServiceTraffic> {
  return {
    affinityTimeoutS: service.affinityTimeoutS,
    sourceRanges: service.sourceRanges.flatMap((text) => {
      const [address = '', length = ''] = text.trim().split('/');
      const parsed = tryParseAddress(address);
      return parsed === undefined || !/^\d+$/.test(length)
        ? []
        : [{ ipPrefix: formatAddress(parsed), ipPrefixLen: Number(length) }];
    }),
    internalLocalOnly: service.internalLocalOnly,
    externalLocalOnly: service.externalLocalOnly,
    publishNotReady: service.publishNotReady,
    healthCheckNodePort: service.healthCheckNodePort,
    nodePortListeners: service.ports
      .filter((port) => port.nodePort !== 0)
      .map((port) => ({ listenerUuid: listenerUuidOf(cluster, service, port), nodePort: port.nodePort })),
  };
}

/** Identity of a cluster IP of one family; it owns the reservation in ipam. */
export function serviceInstanceIpUuid(cluster: Cluster, serviceUid: string, family: IpFamily): string {
  return derivedUuid(cluster.uid, 'instance-ip/service', serviceUid, family === 4 ? 0 : 'v6');
}

/** Protocol and port tell the ports of one service apart; a port may change its name. */
function portKey(port: KubeServicePort): string {
  return `${port.protocol}-${port.port}`;
}

function listenerUuidOf(cluster: Cluster, service: KubeService, port: KubeServicePort): string {
  return derivedUuid(cluster.uid, 'loadbalancer-listener', service.uid, portKey(port));
}

/** The load balancer has the uid of the service (R21). */
function loadbalancerOf(service: KubeService, project: ObjectReference): { uuid: string; fqName: string[] } {
  return { uuid: service.uid, fqName: [...project.fqName, loadbalancerName(service.name, service.uid)] };
}

function nativeApplianceSet(): { uuid: string; fqName: string[] } {
  const fqName = [globalSystemConfigName, nativeProvider];
  return { uuid: wellKnownUuid('service-appliance-set', fqName), fqName };
}
