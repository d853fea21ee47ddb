import { parseAddress } from '@contrail/net';
import { exampleZone } from '../testing/cluster';
import { parseName } from '../zone/domain-name';
import type { ServiceRecord, SliceRecord } from '../zone/kube-records';
import { ZoneFeeder } from './zone-feeder';

const headless: ServiceRecord = {
  namespace: 'blue', name: 'db', kind: 'headless', clusterIps: [], externalName: '', ports: [], publishNotReadyAddresses: false,
};
const clusterIp: ServiceRecord = { ...headless, kind: 'clusterIP', clusterIps: [parseAddress('10.96.0.50')] };
const slice = (address: string, service = 'db'): SliceRecord => ({
  namespace: 'blue', service, ports: [], endpoints: [{ addresses: [parseAddress(address)], hostname: '', isReady: true }],
});
const db = parseName('db.blue.svc.cluster.local');

function setUp(): { feeder: ZoneFeeder; addresses: () => string[] | undefined; deferred: (() => void)[]; problems: string[] } {
  const zone = exampleZone();
  const deferred: (() => void)[] = [];
  const problems: string[] = [];
  const feeder = new ZoneFeeder({ zone, now: () => 5000, defer: (flush) => deferred.push(flush), onProblem: (problem) => problems.push(problem) });
  const addresses = (): string[] | undefined => zone.find(db)?.records('A').map((data) => ('address' in data ? data.address.join('.') : ''));
  return { feeder, addresses, deferred, problems };
}

describe('ZoneFeeder', () => {
  it('takes changes in together', () => {
    const { feeder, addresses, deferred } = setUp();
    feeder.setService(headless);
    feeder.setSlice('blue/db-1', slice('10.32.1.1'), undefined);
    feeder.setSlice('blue/db-2', slice('10.32.1.2'), undefined);
    expect([deferred.length, addresses()]).toEqual([1, undefined]);
    deferred.forEach((flush) => flush());
    expect(addresses()).toEqual(['10.32.1.1', '10.32.1.2']);
    expect([feeder.serviceCount, feeder.sliceCount]).toEqual([1, 2]);
  });

  it('accepts slices before their Service, and follows every change', () => {
    const { feeder, addresses } = setUp();
    feeder.setSlice('blue/db-1', slice('10.32.1.1'), undefined);
    feeder.setService(headless);
    feeder.flush();
    expect(addresses()).toEqual(['10.32.1.1']);
    feeder.setSlice('blue/db-1', slice('10.32.1.9'), slice('10.32.1.1'));
    feeder.flush();
    expect(addresses()).toEqual(['10.32.1.9']);
    feeder.removeSlice('blue/db-1', slice('10.32.1.9'));
    feeder.flush();
    expect(addresses()).toBeUndefined();
    expect(feeder.sliceCount).toBe(0);
  });

  it('moves a slice that changes its Service', () => {
    const { feeder, addresses } = setUp();
    feeder.setService(headless);
    feeder.setSlice('blue/s', slice('10.32.1.1'), undefined);
    feeder.setSlice('blue/s', slice('10.32.1.1', 'other'), slice('10.32.1.1'));
    feeder.flush();
    expect([addresses(), feeder.sliceCount]).toEqual([undefined, 1]);
  });

  it('does no work for endpoints of Services whose names do not show them', () => {
    const { feeder, deferred } = setUp();
    feeder.setService(clusterIp);
    feeder.flush();
    feeder.setSlice('blue/db-1', slice('10.32.1.1'), undefined);
    expect(deferred).toHaveLength(1);
  });

  it('changes a Service from one kind to another and removes it', () => {
    const { feeder, addresses } = setUp();
    feeder.setSlice('blue/db-1', slice('10.32.1.1'), undefined);
    feeder.setService(clusterIp);
    feeder.flush();
    expect(addresses()).toEqual(['10.96.0.50']);
    feeder.setService(headless);
    feeder.flush();
    expect(addresses()).toEqual(['10.32.1.1']);
    feeder.removeService(headless);
    feeder.flush();
    expect(addresses()).toBeUndefined();
  });

  it('reports an external name that cannot be, and goes on', () => {
    const { feeder, problems } = setUp();
    feeder.setService({ ...headless, kind: 'externalName', externalName: `${'x'.repeat(64)}.example` });
    feeder.setService({ ...clusterIp, name: 'other' });
    feeder.flush();
    expect(problems).toEqual([expect.stringContaining('Service/blue/db spec.externalName')]);
  });
});
