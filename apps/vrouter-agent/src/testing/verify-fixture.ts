import path from 'node:path';
import { systemClock } from '@contrail/reconcile';
import type { Clock } from '@contrail/reconcile';
import { AttachmentStore } from '../cni-server/attachment-store';
import type { Attachment } from '../cni-server/attachment-store';
import type { CniContext } from '../cni-server/cni-context';
import type { Datapath } from '../datapath/port';
import { ForwardingState } from '../ksync/forwarding-state';
import { NodeDevices } from '../node/node-devices';
import { parseAddress } from '@contrail/net';
import * as make from './entries';

/** A node with one pod, which has an alias address, a service, and a route of each kind. */
export const verifiedWorld = [
  make.globalEntry(),
  make.nodeEntry('node1', '192.0.2.1'),
  make.nodeEntry('node2', '192.0.2.2'),
  make.vrfEntry(make.podVrf, '10.47.255.254'),
  make.labelEntry(70, make.podVrf, 40),
  make.policyEntry(make.policyId),
  make.interfaceEntry(1, { addresses: [make.podAddress('10.32.0.1'), make.podAddress('10.33.0.1', { alias: true })] }),
  make.routeEntry(make.podVrf, '10.32.0.1/32', make.interfacePath('node1', 1)),
  make.routeEntry(make.podVrf, '10.40.0.0/16', make.interfacePath('node2', 3)),
  make.serviceEntry('10.96.0.1', [make.backend(1), make.backend(2)]),
];

/** A CNI context in sync with `verifiedWorld`, over any datapath whose uplink has 192.0.2.1. */
export function syncedContext(datapath: Datapath, folder: string): CniContext {
  const nodeDevices = new NodeDevices(datapath, parseAddress('192.0.2.1'));
  const state = new ForwardingState({ node: 'node1', datapath, nodeDevices, generation: 1 });
  state.beginSnapshot();
  state.applyBatch(make.batch(1, verifiedWorld));
  state.endSnapshot(1n);
  return {
    state,
    datapath,
    attachments: new AttachmentStore(path.join(folder, 'attachments')),
    events: { bandwidthIgnored: () => undefined },
    adding: new Set(),
    leaving: new Set(),
    controlProblem: () => undefined,
    addDeadlineMs: 1000,
  };
}

/** The attachment of interface 1 in a network namespace. */
export function attachmentIn(netns: string, fields: Partial<Attachment> = {}): Attachment {
  return {
    containerId: 'c1',
    ifname: 'eth0',
    network: 'contrail',
    netns,
    vmiUuid: make.vmiUuid(1),
    pod: 'default/web-1',
    hostInterface: 'tap1',
    mtu: 1450,
    hostPorts: [],
    ...fields,
  };
}

/** Waits as long as asked, but never more than a moment. */
export const shortClock: Clock = {
  now: () => systemClock.now(),
  sleep: (ms, signal) => systemClock.sleep(Math.min(ms, 100), signal),
};
