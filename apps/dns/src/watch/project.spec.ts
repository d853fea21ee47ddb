import { formatAddress } from '@contrail/net';
import { projectPod, projectService, projectSlice } from './project';

const metadata = { name: 'web', namespace: 'blue' };

describe('projectService', () => {
  it.each([
    { what: 'cluster IP', spec: { clusterIP: '10.96.0.1' }, kind: 'clusterIP', ips: ['10.96.0.1'] },
    { what: 'both families', spec: { clusterIP: '10.96.0.1', clusterIPs: ['10.96.0.1', 'fd00::1'] }, kind: 'clusterIP', ips: ['10.96.0.1', 'fd00::1'] },
    { what: 'NodePort has a cluster IP too', spec: { type: 'NodePort', clusterIPs: ['10.96.0.1'] }, kind: 'clusterIP', ips: ['10.96.0.1'] },
    { what: 'headless', spec: { clusterIP: 'None', clusterIPs: ['None'] }, kind: 'headless', ips: [] },
    { what: 'ExternalName', spec: { type: 'ExternalName', externalName: 'x.example' }, kind: 'externalName', ips: [] },
    { what: 'headless with an external name is external', spec: { type: 'ExternalName', externalName: 'x', clusterIP: 'None' }, kind: 'externalName', ips: [] },
  ])('$what', ({ spec, kind, ips }) => {
    const service = projectService({ metadata, spec });
    expect(service?.kind).toBe(kind);
    expect(service?.clusterIps.map(formatAddress)).toEqual(ips);
  });

  it.each([{ spec: {} }, { spec: { clusterIP: '' } }, { spec: { clusterIP: 'nonsense' } }, {}])('$spec has no address yet', (raw) => {
    expect(projectService({ metadata, ...raw })).toBeUndefined();
  });

  it('fills in what ports leave out', () => {
    const ports = projectService({ metadata, spec: { clusterIP: '10.96.0.1', ports: [{ port: 80 }, { name: 'Big', protocol: 'UDP', port: 53 }] } })?.ports;
    expect(ports).toEqual([{ name: '', protocol: 'tcp', port: 80 }, { name: 'big', protocol: 'udp', port: 53 }]);
  });
});

describe('projectSlice', () => {
  const raw = (more: object): Parameters<typeof projectSlice>[0] => ({
    metadata: { ...metadata, labels: { 'kubernetes.io/service-name': 'web' } }, addressType: 'IPv4', endpoints: [], ...more,
  });

  it.each([
    { what: 'of no Service', slice: raw({ metadata }) },
    { what: 'of host names', slice: raw({ addressType: 'FQDN' }) },
  ])('leaves slices $what out', ({ slice }) => {
    expect(projectSlice(slice)).toBeUndefined();
  });

  it('leaves out what is no address, and each address after its first', () => {
    const endpoints = [{ addresses: ['10.32.0.1', 'x', '10.32.0.1', '300.1.1.1'] }];
    expect(projectSlice(raw({ endpoints }))?.endpoints[0]?.addresses.map(formatAddress)).toEqual(['10.32.0.1']);
  });

  it.each([
    { conditions: undefined, isReady: true },
    { conditions: {}, isReady: true },
    { conditions: { ready: true }, isReady: true },
    { conditions: { ready: false, serving: true, terminating: true }, isReady: false },
  ])('conditions $conditions: ready is $isReady', ({ conditions, isReady }) => {
    const endpoints = [{ addresses: ['10.32.0.1'], ...(conditions === undefined ? {} : { conditions }) }];
    expect(projectSlice(raw({ endpoints }))?.endpoints[0]?.isReady).toBe(isReady);
  });
});

describe('projectPod', () => {
  const status = { phase: 'Running', podIPs: [{ ip: '10.32.0.4' }] };

  it('takes the addresses of a running pod', () => {
    expect(projectPod({ metadata, status })?.addresses.map(formatAddress)).toEqual(['10.32.0.4']);
  });

  it.each([
    { what: 'on the host network', pod: { metadata, spec: { hostNetwork: true, containers: [] }, status } },
    { what: 'that ended', pod: { metadata, status: { ...status, phase: 'Failed' } } },
    { what: 'without address', pod: { metadata, status: { phase: 'Pending' } } },
  ])('leaves out a pod $what', ({ pod }) => {
    expect(projectPod(pod)).toBeUndefined();
  });
});
