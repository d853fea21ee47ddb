import { BlockList } from 'node:net';
import {
  planAddresses,
  podSubnet,
  sandboxIndexMax,
  serviceSubnet,
  workerCountMax,
} from './address-plan';

describe('planAddresses', () => {
  const plan = planAddresses('blue', 7, 2);

  it('puts the control plane first and counts workers from 1', () => {
    expect(plan.nodes.map((node) => node.name)).toEqual(['control-plane', 'node1', 'node2']);
    expect(plan.nodes.map((node) => node.isControlPlane)).toEqual([true, false, false]);
  });

  it('gives every end of a cable an address of its own in the underlay', () => {
    const addresses = [
      plan.machineAddress,
      plan.outside.address,
      ...plan.nodes.map((node) => node.address),
    ];
    expect(addresses).toEqual([
      '10.250.7.1',
      '10.250.7.2',
      '10.250.7.10',
      '10.250.7.11',
      '10.250.7.12',
    ]);
    expect(plan.underlay).toBe('10.250.7.0/24');
  });

  it('starts the names of namespaces and cgroups with the name of the sandbox', () => {
    const names = [
      plan.underlayNetns,
      plan.outside.netns,
      ...plan.nodes.flatMap((node) => [node.netns, node.cgroup]),
    ];
    expect(names.every((name) => name.startsWith('blue-'))).toBe(true);
  });

  it('keeps interface names within 15 characters', () => {
    const largest = planAddresses('a'.repeat(24), sandboxIndexMax, workerCountMax);
    const names = [
      largest.machinePort,
      largest.outside.port,
      ...largest.nodes.map((node) => node.port),
    ];
    expect(Math.max(...names.map((name) => name.length))).toBeLessThanOrEqual(15);
  });

  it('never overlaps the pod and service subnets', () => {
    const inside = new BlockList();
    for (const subnet of [podSubnet, serviceSubnet]) {
      const [network = '', length = ''] = subnet.split('/');
      inside.addSubnet(network, Number(length));
    }
    const all = Array.from(
      { length: sandboxIndexMax },
      (_, i) => planAddresses('blue', i + 1, 1).machineAddress,
    );
    expect(all.filter((address) => inside.check(address))).toEqual([]);
    expect(new Set(all).size).toBe(sandboxIndexMax);
  });
});
