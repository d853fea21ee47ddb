import { parsePrefix, parseAddress } from '@contrail/net';
import { projectPod, projectService, projectSlice } from '../watch/project';
import { ZoneFeeder } from '../watch/zone-feeder';
import { ClusterZone } from '../zone/cluster-zone';
import { parseName } from '../zone/domain-name';
import type { PodRecordMode } from '../zone/pod-names';

type RawService = Parameters<typeof projectService>[0];
type RawSlice = Parameters<typeof projectSlice>[0];
type RawPod = Parameters<typeof projectPod>[0];

/** Ports of endpoints; those of the Services differ. */
const portNumbers: Readonly<Record<string, number>> = { http: 8080, admin: 8443, dns: 5353 };
const http = { name: 'http', protocol: 'TCP', port: 80 };

/** Services of a small cluster, as the API server has them: one of each kind that DNS treats in its own way. */
export const services: readonly RawService[] = [
  service('kubernetes', 'default', { clusterIPs: ['10.96.0.1'], ports: [{ name: 'https', protocol: 'TCP', port: 443 }] }),
  service('web', 'blue', {
    clusterIPs: ['10.96.0.20'],
    ports: [http, { name: 'dns', protocol: 'UDP', port: 53 }, { protocol: 'TCP', port: 9000 }],
  }),
  service('dual', 'blue', { clusterIPs: ['10.96.0.21', 'fd00:96::21'], ports: [http] }),
  service('lonely', 'blue', { clusterIPs: ['10.96.0.22'], ports: [http] }),
  service('peers', 'blue', { clusterIP: 'None', ports: [http, { name: 'admin', protocol: 'TCP', port: 8443 }] }),
  service('twins', 'blue', { clusterIP: 'None', ports: [http] }),
  service('empty', 'blue', { clusterIP: 'None', ports: [http] }),
  service('eager', 'blue', { clusterIP: 'None', publishNotReadyAddresses: true }),
  service('outside', 'blue', { type: 'ExternalName', externalName: 'www.example.com' }),
  service('inside', 'blue', { type: 'ExternalName', externalName: 'web.blue.svc.cluster.local' }),
  service('chain', 'blue', { type: 'ExternalName', externalName: 'inside.blue.svc.cluster.local.' }),
  service('loop', 'blue', { type: 'ExternalName', externalName: 'loop.blue.svc.cluster.local' }),
  service('dangling', 'blue', { type: 'ExternalName', externalName: 'nothing.blue.svc.cluster.local' }),
  service('waiting', 'blue', { clusterIPs: [], ports: [http] }),
];

export const slices: readonly RawSlice[] = [
  slice('web-1', 'blue', 'web', ['http', 'dns'], [{ addresses: ['10.32.0.4'] }]),
  slice('peers-1', 'blue', 'peers', ['http', 'admin'], [
    { addresses: ['10.32.0.5'], hostname: 'first' },
    { addresses: ['10.32.0.6'] },
    { addresses: ['10.32.0.7'], conditions: { ready: false } },
  ]),
  // The same endpoint again, as the slice controller may show it for a moment while it moves endpoints.
  slice('peers-2', 'blue', 'peers', ['http', 'admin'], [{ addresses: ['10.32.0.6'] }]),
  slice('peers-v6', 'blue', 'peers', ['http', 'admin'], [{ addresses: ['5678:abcd::1'] }]),
  slice('twins-1', 'blue', 'twins', ['http'], [
    { addresses: ['10.32.0.6'], hostname: 'pair' },
    { addresses: ['10.32.0.8'], hostname: 'pair' },
  ]),
  slice('empty-1', 'blue', 'empty', ['http'], [{ addresses: ['10.32.0.9'], conditions: { ready: false } }]),
  slice('eager-1', 'blue', 'eager', [], [{ addresses: ['10.32.0.9'], conditions: { ready: false } }]),
  // From a third party, with what is no address.
  slice('twins-odd', 'blue', 'twins', ['http'], [{ addresses: ['10.32.0.300'] }]),
];

export const pods: readonly RawPod[] = [
  { metadata: { name: 'web-1', namespace: 'blue' }, status: { phase: 'Running', podIPs: [{ ip: '10.32.0.4' }] } },
  { metadata: { name: 'old', namespace: 'blue' }, status: { phase: 'Succeeded', podIPs: [{ ip: '10.32.0.44' }] } },
  { metadata: { name: 'six', namespace: 'blue' }, status: { phase: 'Running', podIPs: [{ ip: '1:2:3::4' }] } },
];

export const namespaces: readonly string[] = ['default', 'blue', 'bare'];

/** The small cluster as a zone, fed as the watch does. */
export function exampleZone(podRecords: PodRecordMode = 'insecure'): ClusterZone {
  const zone = new ClusterZone({
    zone: parseName('cluster.local'),
    reversePrefixes: ['10.32.0.0/12', '10.96.0.0/12', 'fd00:96::/112'].map(parsePrefix),
    ttl: 5,
    serverAddresses: [parseAddress('10.96.0.10')],
    podRecords,
  });
  const feeder = new ZoneFeeder({ zone, now: () => 1_700_000_000_000, defer: () => undefined, onProblem: () => undefined });
  for (const namespace of namespaces) zone.setNamespace(namespace);
  for (const raw of services) {
    const projected = projectService(raw);
    if (projected !== undefined) feeder.setService(projected);
  }
  for (const raw of slices) {
    const projected = projectSlice(raw);
    if (projected !== undefined) feeder.setSlice(`blue/${raw.metadata?.name ?? ''}`, projected, undefined);
  }
  for (const raw of pods) {
    const projected = projectPod(raw);
    if (projected !== undefined) zone.setPod(`blue/${raw.metadata?.name ?? ''}`, projected);
  }
  feeder.flush();
  return zone;
}

function service(name: string, namespace: string, spec: NonNullable<RawService['spec']>): RawService {
  return { metadata: { name, namespace, uid: `uid-${name}`, resourceVersion: '1' }, spec };
}

function slice(
  name: string,
  namespace: string,
  serviceName: string,
  ports: readonly string[],
  endpoints: RawSlice['endpoints'],
): RawSlice {
  return {
    metadata: { name, namespace, labels: { 'kubernetes.io/service-name': serviceName }, uid: `uid-${name}`, resourceVersion: '1' },
    addressType: 'IPv4',
    ports: ports.map((port) => ({ name: port, protocol: port === 'dns' ? 'UDP' : 'TCP', port: portNumbers[port] ?? 1 })),
    endpoints,
  };
}
