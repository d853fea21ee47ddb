import { parseAddress } from '@contrail/net';
import { FakeDatapath } from '../datapath/testing/fake-datapath';
import { ForwardingState } from '../ksync/forwarding-state';
import { NodeDevices } from '../node/node-devices';

/** A datapath of node1, 192.0.2.1, whose uplink has an MTU of 1500. */
export function newDatapath(): FakeDatapath {
  const datapath = new FakeDatapath();
  datapath.devices.uplinks.push({
    name: 'uplink',
    ifindex: 2,
    mtu: 1500,
    mac: new Uint8Array(6),
    address: parseAddress('192.0.2.1'),
  });
  return datapath;
}

/** An agent's state over the datapath; a second one over the same datapath is a restart. */
export function newState(datapath: FakeDatapath): ForwardingState {
  const nodeDevices = new NodeDevices(datapath, parseAddress('192.0.2.1'));
  return new ForwardingState({ node: 'node1', datapath, nodeDevices, generation: 1 });
}
